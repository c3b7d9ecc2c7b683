"""What this package is compared with: the same mathematics as others would write it. README.md says who is who."""
