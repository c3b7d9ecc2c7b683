"""The SQL functions that a spec may use: scalar, the same in every run, without a way out of the row."""

from __future__ import annotations

__all__ = ["ALLOWED_FUNCTIONS", "ALLOWED_OPERATORS", "ALLOWED_TYPES", "FUNCTIONS_BY_SUBJECT"]

#: What docs/spec.md lists. Names of one function (``substr``, ``substring``) stand side by side.
FUNCTIONS_BY_SUBJECT: dict[str, tuple[str, ...]] = {
    "blanks and choices": ("coalesce", "nullif", "if", "ifnull", "greatest", "least"),
    "numbers": (
        *("abs", "sign", "round", "round_even", "floor", "ceil", "ceiling", "trunc", "even", "mod", "fmod", "fdiv"),
        *("sqrt", "cbrt", "exp", "ln", "log", "log2", "log10", "pow", "power", "pi", "radians", "degrees"),
        *("sin", "cos", "tan", "cot", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh"),
        *("isnan", "isinf", "isfinite", "gcd", "lcm", "xor", "bit_count", "add", "subtract", "multiply", "divide"),
    ),
    "text": (
        *("lower", "lcase", "upper", "ucase", "trim", "ltrim", "rtrim", "length", "len", "strlen", "char_length"),
        *("character_length", "concat", "concat_ws", "substr", "substring", "left", "right", "lpad", "rpad", "reverse"),
        *("replace", "translate", "overlay", "contains", "starts_with", "prefix", "ends_with", "suffix", "position"),
        *("strpos", "instr", "split_part", "strip_accents", "nfc_normalize", "ascii", "ord", "unicode", "chr"),
        *("format", "printf", "hex", "to_hex", "md5", "sha1", "sha256", "levenshtein", "damerau_levenshtein"),
        *("editdist3", "hamming", "mismatches", "jaccard", "jaro_similarity", "jaro_winkler_similarity"),
    ),
    "patterns": (
        *("regexp_matches", "regexp_full_match", "regexp_extract", "regexp_extract_all", "regexp_replace"),
        *("regexp_escape", "like_escape", "not_like_escape", "ilike_escape", "not_ilike_escape"),
    ),
    "dates and times": (
        *("date_part", "datepart", "date_trunc", "datetrunc", "date_diff", "datediff", "date_sub", "datesub"),
        *("date_add", "year", "quarter", "month", "week", "weekofyear", "yearweek", "isoyear", "day", "dayofmonth"),
        *("dayofweek", "dayofyear", "weekday", "isodow", "hour", "minute", "second", "millisecond", "microsecond"),
        *("dayname", "monthname", "last_day", "julian", "epoch", "epoch_ms", "epoch_us", "epoch_ns", "century"),
        *("decade", "era", "time_bucket", "timezone", "strptime", "try_strptime", "strftime", "make_date"),
        *("make_time", "make_timestamp", "make_timestamp_ms", "make_timestamp_ns", "make_timestamptz"),
        *("to_timestamp", "to_years", "to_quarters", "to_months", "to_weeks", "to_days", "to_hours", "to_minutes"),
        *("to_seconds", "to_milliseconds", "to_microseconds"),
    ),
    "lists in a cell": (
        *("split", "str_split", "string_split", "string_to_array", "str_split_regex", "string_split_regex"),
        *("list_value", "list_contains", "list_has", "list_has_any", "list_has_all", "list_position", "list_indexof"),
        *("list_extract", "list_element", "list_slice", "list_sort", "list_reverse_sort", "list_distinct"),
        *("list_unique", "list_concat", "list_cat", "array_to_string", "array_length", "array_extract", "array_slice"),
        *("list_sum", "list_avg", "list_min", "list_max", "list_count", "list_first", "list_last", "list_median"),
        *("array_contains", "array_has", "array_has_any", "array_has_all", "array_position", "array_indexof"),
        *("element_at", "json_extract_string", "json_extract_path_text", "json_array_length", "json_valid"),
    ),
}

ALLOWED_FUNCTIONS = frozenset(name for names in FUNCTIONS_BY_SUBJECT.values() for name in names)

#: Operators as DuckDB's parser names them: ``~~`` is LIKE, ``~~*`` is ILIKE, ``~~~`` is GLOB; ``!`` in front negates.
ALLOWED_OPERATORS = frozenset(
    (
        *("+", "-", "*", "/", "//", "%", "**", "^", "@", "||", "&", "|", "~", "<<", ">>", "^@", "->>"),
        *("~~", "!~~", "~~*", "!~~*", "~~~", "<@", "@>", "&&"),
    )
)

ALLOWED_TYPES = frozenset(
    (
        *("BOOLEAN", "BOOL", "TINYINT", "SMALLINT", "INTEGER", "INT", "BIGINT", "HUGEINT"),
        *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "REAL", "DOUBLE", "DECIMAL", "NUMERIC"),
        *("VARCHAR", "TEXT", "STRING", "CHAR", "BPCHAR", "DATE", "TIME", "TIMESTAMP", "DATETIME", "INTERVAL"),
        *("TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_US", "TIMESTAMP_NS", "TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"),
        *("LIST", "ARRAY"),
    )
)
