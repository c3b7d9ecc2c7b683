"""Times: how they are written, what a column of them holds, and minutes since an origin."""
