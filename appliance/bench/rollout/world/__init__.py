"""A fleet in virtual time: real deciders of hub, box and core; made up are time, network and goods."""
