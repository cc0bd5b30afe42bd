"""What a release demands, as versioned data that refuses to contradict itself."""
