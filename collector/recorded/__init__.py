"""What was recorded, as what it would have been on the wire: BMP streams with the times at which they came."""
