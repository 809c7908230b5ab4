"""A stand-in for the payment gateways: a server of its own that follows what they document."""
