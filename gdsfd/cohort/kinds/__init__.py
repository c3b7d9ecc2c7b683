"""Kinds of modalities: what each is in a spec, in a graph, in the flat table and in checks, one record each."""
