"""S3 is the truth; everything written there is written once, or says that it was not."""
