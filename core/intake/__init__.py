"""From a listing to a candidate: every row is kept, or refused with a code and a place."""
