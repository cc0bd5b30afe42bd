"""People rate a sample that was fixed beforehand, and sign what it shows about one digest."""
