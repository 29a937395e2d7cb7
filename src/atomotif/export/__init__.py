"""What leaves a session: pages and tables."""
