"""What a scanner or a sensor sees of the neural activity."""
