"""Networks, indices and the recognizer: files and devices, but no Django."""
