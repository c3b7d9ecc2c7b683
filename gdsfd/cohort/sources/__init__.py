"""Sources: files, frames and Ibis tables as cleaned, filtered views of one embedded database."""
