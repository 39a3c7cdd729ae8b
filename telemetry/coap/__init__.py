"""CoAP: sensors that post to us, and sensors that are servers and are observed (RFC 7252, 7641)."""
