"""``gdsfd study``: when does fusion help, which fusion, how robust, how fair; planned first, answered by rules."""
