"""What stewards do: decide about two records, take a decision back, read what they are asked."""
