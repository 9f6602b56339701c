"""The rules of care and practice: pure, synchronous, without clock, randomness or storage."""
