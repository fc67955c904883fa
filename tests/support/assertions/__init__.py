"""What several tests hold to be true."""
