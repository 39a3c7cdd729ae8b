"""MQTT 3.1.1 and 5 for publishers: a codec of our own, and an endpoint whose PUBACK means on disk.

`packets`, `fields`, `decoding`, `encoding` and `publishes` are the codec and do no I/O;
`connection` and `endpoint` are the server. The subscriber to other brokers uses the same codec.
"""
