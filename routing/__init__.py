"""Geography as arithmetic: distances, nearest jobs, the order of stops, addresses."""
