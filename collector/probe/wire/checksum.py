"""The Internet checksum (RFC 1071)."""


def checksum(octets: bytes) -> int:
    """Return the ones' complement of the ones' complement sum of 16-bit words; an odd last octet is a high half.

    Modulo 65535, that sum is the whole text read as one number, so it takes one step (RFC 1071, 2(B)).
    """
    number = int.from_bytes(octets + b"\0" if len(octets) & 1 else octets, "big")
    if not number:
        return 0xFFFF
    return 0xFFFF - (number % 0xFFFF or 0xFFFF)
