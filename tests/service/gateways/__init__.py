"""Gateways: their adapters, against their stand-ins and by themselves."""
