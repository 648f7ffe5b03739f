"""Who answered: what is said under a key, over UDP (`datagram`) and HTTP (`http`), and what is only matched."""
