"""How the demo networks were made. Needs PyTorch; the service never imports it."""
