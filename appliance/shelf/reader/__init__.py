"""The appliance's reader for phones at the shelf: a child process, and the WebSocket before it."""
