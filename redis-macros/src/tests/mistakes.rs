//! Every mistake that a table can have, with the whole message. Tables start in line 1; in those of
//! [`arguments`] the first argument is in line 3.

use super::mistakes;

fn table(text: &str) -> Vec<String> {
    mistakes("t.json", text)
}

/// The facts of `PING`, in one line.
fn ping(replaced: &str, by: Option<&str>) -> String {
    let facts = [
        ("summary", "\"Answers.\""),
        ("since", "\"1.0.0\""),
        ("group", "\"connection\""),
        ("flags", "[\"write\"]"),
        ("arguments", "[]"),
        ("reply", "\"Integer\""),
        ("example", "[\"client.ping().await?;\"]"),
    ];
    let facts = facts.into_iter().filter_map(|(key, value)| match by {
        by if key == replaced => by.map(|by| format!("\"{key}\": {by}")),
        _ => Some(format!("\"{key}\": {value}")),
    });
    facts.collect::<Vec<_>>().join(", ")
}

/// `PING` with one value replaced.
fn with(key: &str, value: &str) -> Vec<String> {
    table(&format!(
        "{{\"commands\": {{\n\"PING\": {{{}}}\n}}}}",
        ping(key, Some(value))
    ))
}

/// `PING` without one value.
fn without(key: &str) -> Vec<String> {
    table(&format!(
        "{{\"commands\": {{\n\"PING\": {{{}}}\n}}}}",
        ping(key, None)
    ))
}

/// `PING` with something more.
fn command(more: &str) -> Vec<String> {
    table(&format!(
        "{{\"commands\": {{\n\"PING\": {{{},\n{more}}}\n}}}}",
        ping("", None)
    ))
}

/// `PING` with these arguments, and an enum `Unit` if they use it.
fn arguments(arguments: &str) -> Vec<String> {
    let unit = "\"Unit\": {\"doc\": \"d\", \"values\": [{\"name\": \"Meters\", \"token\": \"m\"}]}";
    let enums = if arguments.contains("\"Unit\"") {
        format!("\"enums\": {{{unit}}}, ")
    } else {
        String::new()
    };
    let ping = ping("arguments", Some(&format!("[\n{arguments}\n]")));
    table(&format!(
        "{{{enums}\"commands\": {{\n\"PING\": {{{ping}}}\n}}}}"
    ))
}

/// An enum of this name is there and used.
fn enums(name: &str, facts: &str) -> Vec<String> {
    let ping = ping(
        "arguments",
        Some(&format!("[{{\"name\": \"a\", \"type\": \"{name}\"}}]")),
    );
    table(&format!(
        "{{\"enums\": {{\n\"{name}\": {{{facts}}}}},\n\"commands\": {{\"PING\": {{{ping}}}}}}}"
    ))
}

/// A reply struct `Entry` of this layout is there and used.
fn reply(layout: &str, fields: &str) -> Vec<String> {
    let ping = ping("reply", Some("\"Entry\""));
    let entry = format!("\"doc\": \"d\", \"layout\": \"{layout}\", \"fields\": [\n{fields}]");
    table(&format!(
        "{{\"replies\": {{\n\"Entry\": {{{entry}}}}},\n\"commands\": {{\"PING\": {{{ping}}}}}}}"
    ))
}

/// `name: call => messages;` for each mistake.
macro_rules! mistakes {
    ($($name:ident: $call:expr => [$($message:expr),* $(,)?];)*) => {$(
        #[test]
        fn $name() {
            let messages: &[&str] = &[$($message),*];
            assert_eq!($call, messages);
        }
    )*};
}

mistakes! {
    json_syntax: table(r#"{
  "commands": {
    "GET": {]
  }
}"#) => [
        "t.json:3:13: expected a key in double quotes",
    ];
    json_that_is_no_object: table(r#"[]"#) => [
        "t.json:1: must be an object, not a list",
    ];
    unknown_section: table(r#"{"command": {}, "commands": {}}"#) => [
        "t.json:1: unknown key `command` (did you mean `commands`?); use `enums`, `replies`, `commands`",
    ];
    commands_missing: table(r#"{}"#) => [
        "t.json:1: `commands` is missing: an object with an entry for each command",
    ];
    command_twice: table(r#"{"commands": {
"PING": {"summary": "Answers.", "since": "1.0.0", "group": "connection", "flags": ["write"], "arguments": [], "reply": "Integer", "example": ["client.ping().await?;"]},
"PING": {"summary": "Answers.", "since": "1.0.0", "group": "connection", "flags": ["write"], "arguments": [], "reply": "Integer", "example": ["client.ping().await?;"]}
}}"#) => [
        "t.json:3: PING: this is there twice, first in line 2",
    ];
    entry_that_is_no_object: table(r#"{"commands": {
"PING": []
}}"#) => [
        "t.json:2: PING: must be an object, not a list",
    ];
    key_twice: command(r#""summary": "again""#) => [
        "t.json:3: PING: `summary` is there twice, first in line 2",
    ];
    unknown_key_in_a_command: command(r#""sumary": "x""#) => [
        "t.json:3: PING: unknown key `sumary` (did you mean `summary`?); use `group`, `arguments`, `example`, `example_server`, `summary`, `details`, `since`, `complexity`, `flags`, `deprecated`, `reply`, `example_since`, `method`, `runtime`, `forms`",
    ];
    summary_missing: without("summary") => [
        "t.json:2: PING: `summary` is missing: one sentence on what it does",
    ];
    since_missing: without("since") => [
        r#"t.json:2: PING: `since` is missing: a version, or one for each fork: {"redis": …, "valkey": …}"#,
    ];
    group_missing: without("group") => [
        r#"t.json:2: PING: `group` is missing: such as "string": its trait is then `StringCommands`"#,
    ];
    flags_missing: without("flags") => [
        r#"t.json:2: PING: `flags` is missing: a list, such as ["readonly", "fast"]"#,
    ];
    arguments_missing: without("arguments") => [
        "t.json:2: PING: `arguments` is missing: a list, [] if it takes none",
    ];
    reply_missing: without("reply") => [
        r#"t.json:2: PING: `reply` is missing: a kind, such as "StatusReply" or "Native?""#,
    ];
    example_missing: without("example") => [
        "t.json:2: PING: `example` is missing: a list of Rust lines that call it and check the reply",
    ];
    wrong_type_of_a_value: with("summary", r#"1"#) => [
        "t.json:2: PING: `summary` must be a string, not 1",
    ];
    since_that_is_no_version: with("since", r#""7.4""#) => [
        "t.json:2: PING: `since`: `7.4` is not a version; write it like `7.4.0`",
    ];
    since_of_an_unknown_fork: with("since", r#"{"redis": "7.4.0", "keydb": "1.0.0"}"#) => [
        "t.json:2: PING: `since`: unknown key `keydb`; use `redis`, `valkey`",
    ];
    since_of_no_fork: with("since", r#"{}"#) => [
        "t.json:2: PING: `since` names no fork; use `redis`, `valkey` or both",
    ];
    since_of_another_type: with("since", r#"7"#) => [
        r#"t.json:2: PING: `since` must be a version, or {"redis": …, "valkey": …}, not a number"#,
    ];
    unknown_flag: with("flags", r#"["readonyl"]"#) => [
        "t.json:2: PING: unknown flag `readonyl` (did you mean `readonly`?); use `write`, `readonly`, `denyoom`, `admin`, `pubsub`, `noscript`, `blocking`, `loading`, `stale`, `fast`, `noauth`, `may_replicate`, `no_multi`, `no_async_loading`, `no_mandatory_keys`, `movablekeys`, `allow_busy`, `skip_monitor`, `skip_slowlog`, `sort_for_script`, `random`, `idempotent`, `session`, `ends_connection`",
    ];
    flag_twice: with("flags", r#"["write", "write"]"#) => [
        "t.json:2: PING: flag `write` is there twice",
    ];
    group_with_capitals: with("group", r#""SortedSet""#) => [
        "t.json:2: PING: group `SortedSet` must be lower-case words with dashes, like `sorted-set`",
    ];
    name_in_lower_case: table(r#"{"commands": {
"Ping": {"summary": "Answers.", "since": "1.0.0", "group": "connection", "flags": ["write"], "arguments": [], "reply": "Integer", "example": ["client.ping().await?;"]}
}}"#) => [
        "t.json:2: Ping: the name must be the command's words in upper case, like `CONFIG GET`",
    ];
    method_that_is_no_name: command(r#""method": "PING""#) => [
        "t.json:2: PING: method `PING` must be a Rust name, like `client_no_evict`",
        "t.json:2: PING: the example never calls `.PING(…)`",
    ];
    deprecated_without_instead: command(r#""deprecated": {"since": "6.2.0", "instead": "x"}"#) => [
        "t.json:3: PING: `deprecated`: `use` is missing: what to use instead",
        "t.json:3: PING: `deprecated`: unknown key `instead`; use `since`, `use`",
    ];
    unknown_example_server: command(r#""example_server": "mine""#) => [
        "t.json:3: PING: unknown server `mine`; use `own` or leave it out",
    ];
    example_that_is_no_rust: with("example", r#"["client.ping(.await?;"]"#) => [
        "t.json:2: PING: the example is not Rust: check its quotes and brackets",
    ];
    example_that_is_no_statement: with("example", r#"["client.ping().await?"]"#) => [
        "t.json:2: PING: the example is not Rust: its lines are statements, so it must end with `;`",
    ];
    example_of_something_else: with("example", r#"["client.get(\"k\").await?;"]"#) => [
        "t.json:2: PING: the example never calls `.ping(…)`",
    ];
    summary_of_two_lines: with("summary", r#""a\nb""#) => [
        "t.json:2: PING: `summary` must be one line; the rest belongs into `details`",
    ];
    method_twice: table(r#"{"commands": {
"PING": {"summary": "Answers.", "since": "1.0.0", "group": "connection", "flags": ["write"], "arguments": [], "reply": "Integer", "example": ["client.ping().await?;"]},
"A": {"summary": "Answers.", "since": "1.0.0", "group": "connection", "flags": ["write"], "arguments": [], "reply": "Integer", "example": ["client.ping().await?;"], "method": "ping"}
}}"#) => [
        "t.json:3: A: method `ping` is that of PING in line 2 already; rename one with `method`",
    ];
    variant_is_a_method: table(r#"{"commands": {
"PING": {"summary": "Answers.", "since": "1.0.0", "group": "connection", "flags": ["write"], "arguments": [], "reply": "ListReply", "example": ["client.ping().await?;"]},
"PING_ASLIST": {"summary": "Answers.", "since": "1.0.0", "group": "connection", "flags": ["write"], "arguments": [], "reply": "Integer", "example": ["client.ping_aslist().await?;"]}
}}"#) => [
        "t.json:3: PING_ASLIST: method `ping_aslist` is that of PING in line 2 already; rename one with `method`",
    ];
    forms_and_method: table(r#"{"commands": {
"PING": {"summary": "s", "since": "1.0.0", "group": "g", "flags": [], "arguments": [], "reply": "Integer", "method": "x",
"forms": {"ping": {"example": ["client.ping();"]}}}
}}"#) => [
        "t.json:2: PING: `method` and `forms` exclude each other: the forms' names are the methods",
    ];
    forms_and_example: table(r#"{"commands": {
"PING": {"summary": "s", "since": "1.0.0", "group": "g", "flags": [], "arguments": [], "reply": "Integer", "example": [],
"forms": {"ping": {"example": ["client.ping();"]}}}
}}"#) => [
        "t.json:2: PING: an example belongs into each form, not beside `forms`",
    ];
    form_twice: table(r#"{"commands": {
"PING": {"summary": "s", "since": "1.0.0", "group": "g", "flags": [], "arguments": [], "reply": "Integer",
"forms": {"ping": {"example": ["client.ping();"]},
"ping": {}}}
}}"#) => [
        "t.json:4: PING: form `ping`: this is there twice, first in line 3",
    ];
    no_form: table(r#"{"commands": {
"PING": {"summary": "s", "since": "1.0.0", "group": "g", "flags": [], "arguments": [], "reply": "Integer",
"forms": {}}
}}"#) => [
        "t.json:3: PING: `forms` has no form",
    ];
    form_that_misses_something: table(r#"{"commands": {
"PING": {"summary": "s", "since": "1.0.0", "group": "g", "flags": [], "arguments": [], "reply": "Integer",
"forms": {
"ping": {}}}
}}"#) => [
        "t.json:4: PING: form `ping`: `example` is missing: a list of Rust lines that call it and check the reply",
    ];
    forms_and_runtime: table(r#"{"commands": {
"PING": {"summary": "s", "since": "1.0.0", "group": "g", "flags": [], "arguments": [], "reply": "Integer", "runtime": "why",
"forms": {}}
}}"#) => [
        "t.json:3: PING: an entry has either `forms` or `runtime`, not both",
    ];
    runtime_with_a_reply: table(r#"{"commands": {
"PING": {"summary": "s", "since": "1.0.0", "group": "g", "flags": [], "runtime": "why",
"reply": "Integer"}
}}"#) => [
        "t.json:3: PING: `reply` makes no sense in a `runtime` entry: it has no method",
    ];
    unknown_reply_kind: with("reply", r#""Interger""#) => [
        r#"t.json:2: PING: unknown reply kind `Interger` (did you mean `Integer`?); use `StatusReply`, `Native`, `Text`, `Blob`, `Integer`, `Float`, `Bool`, `Value`, `ListReply`, `SetReply`, `DictReply`, `ZRangeReply`, `List`, `Set`, `Dict`, `Pairs`, `Pair`, `BlockingPopReply`, `OrTimeout`, `InfoReply`, `ClientListReply`, `ConfigPairReply`, `EvalScriptReply`, `ScanPart` or declare it in "replies""#,
    ];
    reply_kind_that_is_no_kind: with("reply", r#""List<Text""#) => [
        "t.json:2: PING: reply kind `List<Text`: `>` is missing; write `Name`, `Name<Kind, …>` or `Kind?`",
    ];
    too_many_parameters_of_a_kind: with("reply", r#""Pair<Text>""#) => [
        "t.json:2: PING: reply kind `Pair<Text>`: `Pair` takes 2 parameters, not 1; write `Name`, `Name<Kind, …>` or `Kind?`",
    ];
    stream_inside_of_a_list: with("reply", r#""List<SetReply>""#) => [
        "t.json:2: PING: `SetReply` can only be the whole reply, not stand inside of `List`",
    ];
    stream_that_is_null: with("reply", r#""ListReply?""#) => [
        "t.json:2: PING: a streaming `ListReply` cannot be null; use a collected kind, like `List<Native>?`",
    ];
    set_of_something_without_hash: with("reply", r#""Set<Float>""#) => [
        "t.json:2: PING: `Float` cannot be hashed in a `Set`; use `List`",
    ];
    dict_of_something_without_hash: with("reply", r#""Dict<List<Text>, Text>""#) => [
        "t.json:2: PING: `List` cannot be hashed in a `Dict`; use `Pairs`",
    ];
    enum_without_values: enums("Unit", r#""doc": "d", "values": []"#) => [
        "t.json:2: enum `Unit`: an enum needs at least one value",
    ];
    enum_without_doc: enums("Unit", r#""values": [{"name": "M", "token": "m"}]"#) => [
        "t.json:2: enum `Unit`: `doc` is missing: what the values are about",
    ];
    enum_value_twice: enums("Unit", r#""doc": "d", "values": [
{"name": "M", "token": "m"},
{"name": "M", "token": "m"}]"#) => [
        "t.json:4: enum `Unit`: value `M`: this name is there twice",
        "t.json:4: enum `Unit`: value `M`: token `m` is there twice",
    ];
    enum_value_in_lower_case: enums("Unit", r#""doc": "d", "values": [{"name": "meters", "token": "m"}]"#) => [
        "t.json:2: enum `Unit`: value `meters`: the name must be a Rust variant, like `Sum`",
    ];
    enum_token_with_a_space: enums("Unit", r#""doc": "d", "values": [{"name": "M", "token": "a m"}]"#) => [
        "t.json:2: enum `Unit`: value `M`: token `a m` must be one word without spaces",
    ];
    enum_with_a_name_of_rust: enums("Option", r#""doc": "d", "values": [{"name": "M", "token": "m"}]"#) => [
        "t.json:2: enum `Option`: `Option` means something else in Rust; choose another name",
    ];
    unused_enum: table(r#"{"enums": {
"Unit": {"doc": "d", "values": [{"name": "M", "token": "m"}]}},
"commands": {}}"#) => [
        "t.json:2: enum `Unit`: no argument has this type; remove it",
    ];
    unused_reply: table(r#"{"replies": {
"Entry": {"doc": "d", "layout": "array", "fields": [{"name": "id", "reply": "Text"}]}},
"commands": {}}"#) => [
        "t.json:2: reply `Entry`: no reply has this kind; remove it",
    ];
    unknown_layout: reply("list", r#"{"name": "id", "reply": "Text"}"#) => [
        "t.json:2: reply `Entry`: unknown layout `list`; use `array` or `map`",
    ];
    reply_without_fields: reply("array", r#""#) => [
        "t.json:2: reply `Entry`: a reply struct needs at least one field",
    ];
    field_twice: reply("array", r#"{"name": "id", "reply": "Text"},
{"name": "id", "reply": "Text"}"#) => [
        "t.json:4: reply `Entry`: field `id`: this name is there twice",
    ];
    unknown_key_in_a_field: reply("array", r#"{"name": "id", "reply": "Text", "docs": "x"}"#) => [
        "t.json:3: reply `Entry`: field `id`: unknown key `docs` (did you mean `doc`?); use `name`, `reply`, `doc`, `key`",
    ];
    key_without_a_map: reply("array", r#"{"name": "id", "reply": "Text", "key": "ID"}"#) => [
        "t.json:3: reply `Entry`: field `id`: `key` needs the layout `map`; an array has no names",
    ];
    key_of_a_map_twice: reply("map", r#"{"name": "a", "reply": "Text", "key": "x"},
{"name": "b", "reply": "Text", "key": "x"}"#) => [
        "t.json:4: reply `Entry`: field `b`: key `x` is there twice",
    ];
    field_called_other: reply("map", r#"{"name": "other", "reply": "Text"}"#) => [
        "t.json:3: reply `Entry`: field `other`: `other` holds the unknown fields; choose another name, with `key` as it is",
    ];
    field_that_is_no_name: reply("map", r#"{"name": "first id", "reply": "Text"}, {"name": "1st", "reply": "Text"}"#) => [
        "t.json:3: reply `Entry`: field `1st`: the name must be a Rust field, like `last_id`; put the wire name into `key`",
    ];
    stream_as_a_field: reply("map", r#"{"name": "a", "reply": "ListReply"}"#) => [
        "t.json:3: reply `Entry`: field `a`: `ListReply` can only be a whole reply, not a field",
    ];
    hashed_native_as_a_field: reply("map", r#"{"name": "a", "reply": "Dict<Native, Text>"}"#) => [
        "t.json:3: reply `Entry`: field `a`: `Native` cannot be hashed in a reply struct; use `List` or `Pairs`, or `Text` as the key",
    ];
    unknown_kind_of_a_field: reply("map", r#"{"name": "a", "reply": "Entri"}"#) => [
        r#"t.json:3: reply `Entry`: field `a`: unknown reply kind `Entri` (did you mean `Entry`?); use `StatusReply`, `Native`, `Text`, `Blob`, `Integer`, `Float`, `Bool`, `Value`, `ListReply`, `SetReply`, `DictReply`, `ZRangeReply`, `List`, `Set`, `Dict`, `Pairs`, `Pair`, `BlockingPopReply`, `OrTimeout`, `InfoReply`, `ClientListReply`, `ConfigPairReply`, `EvalScriptReply`, `ScanPart` or declare it in "replies""#,
    ];
    struct_in_itself: reply("map", r#"{"name": "a", "reply": "Pair<Text, Entry?>"}"#) => [
        "t.json:2: reply `Entry`: the struct contains itself; put it into a `List`",
    ];
    unknown_type: arguments(r#"{"name": "a", "type": "dobule"}"#) => [
        "t.json:3: PING: argument `a`: unknown type `dobule` (did you mean `double`?); use `key`, `string`, `pattern`, `text`, `integer`, `double`, `unix-time`, `bool`, `timeout`, `timeout-ms`, `score`, `lex`, `pure-token`, `block`, `oneof` or the name of an enum",
    ];
    type_missing: arguments(r#"{"name": "a"}"#) => [
        r#"t.json:3: PING: argument `a`: `type` is missing: such as "key", "string", "integer", "block" or "oneof""#,
    ];
    name_missing: arguments(r#"{"type": "key"}"#) => [
        "t.json:3: PING: argument: `name` is missing: what it is called in the documentation and in Rust",
    ];
    unknown_key_in_an_argument: arguments(r#"{"name": "a", "type": "key", "optinal": true}"#) => [
        "t.json:3: PING: argument `a`: unknown key `optinal` (did you mean `optional`?); use `name`, `type`, `default`, `position`, `arguments`, `token`, `only_token`, `optional`, `multiple`, `multiple_token`, `count`, `as`, `order`, `split`, `method`, `doc`, `since`, `reply`, `flags`",
    ];
    wrong_type_of_a_key: arguments(r#"{"name": "a", "type": "key", "optional": "yes"}"#) => [
        "t.json:3: PING: argument `a`: `optional` must be true or false, not a string",
    ];
    argument_twice: arguments(r#"{"name": "a", "type": "key"},
{"name": "a", "type": "string"}"#) => [
        "t.json:4: PING: argument `a`: this name is there twice, first in line 3",
    ];
    argument_with_capitals: arguments(r#"{"name": "A b", "type": "key"}"#) => [
        "t.json:3: PING: argument `A b`: the name must be lower-case words with dashes, like `min-idle-time`",
    ];
    unknown_enum: arguments(r#"{"name": "a", "type": "Unot"}"#) => [
        r#"t.json:3: PING: argument `a`: unknown enum `Unot`; declare it in "enums""#,
    ];
    optional_and_default: arguments(r#"{"name": "a", "type": "integer", "optional": true, "default": 1}"#) => [
        "t.json:3: PING: argument `a`: `optional` and `default` exclude each other: a default is always sent",
    ];
    default_of_another_type: arguments(r#"{"name": "a", "type": "integer", "default": "x"},
{"name": "b", "type": "string", "default": 1},
{"name": "c", "type": "double", "default": "x"},
{"name": "d", "type": "score", "default": "inf"},
{"name": "e", "type": "lex", "default": "a"},
{"name": "f", "type": "bool", "default": 1}"#) => [
        "t.json:3: PING: argument `a`: `default` does not fit the type: it must be a whole number",
        "t.json:4: PING: argument `b`: `default` does not fit the type: it must be a string",
        "t.json:5: PING: argument `c`: `default` does not fit the type: it must be a number",
        r#"t.json:6: PING: argument `d`: `default` does not fit the type: it must be a number, "-inf" or "+inf""#,
        r#"t.json:7: PING: argument `e`: `default` does not fit the type: it must be "-" or "+""#,
        "t.json:8: PING: argument `f`: `default` does not fit the type: it must be true or false",
    ];
    default_that_is_no_value: arguments(r#"{"name": "a", "type": "integer", "default": {}}"#) => [
        "t.json:3: PING: argument `a`: `default` must be a number, a string, a boolean or []",
    ];
    default_of_an_enum: arguments(r#"{"name": "a", "type": "Unit", "default": "m"}"#) => [
        "t.json:3: PING: argument `a`: `default` does not fit the type: it must be one of `Meters`",
    ];
    default_of_a_list: arguments(r#"{"name": "a", "type": "key", "multiple": true, "default": []}"#) => [
        "t.json:3: PING: argument `a`: the default of a multiple argument is [], and it needs `count`",
    ];
    default_in_an_option: arguments(r#"{"name": "a", "type": "block", "optional": true, "arguments": [
{"name": "b", "type": "integer"},
{"name": "c", "type": "integer", "default": 1}]}"#) => [
        "t.json:5: PING: argument `c`: `default` makes no sense inside of something optional; make it optional or required",
    ];
    token_with_a_space: arguments(r#"{"name": "a", "token": "A B", "type": "integer"}"#) => [
        "t.json:3: PING: argument `a`: token `A B` must be one word without spaces",
    ];
    pure_token_without_token: arguments(r#"{"name": "a", "type": "pure-token", "optional": true}"#) => [
        "t.json:3: PING: argument `a`: a pure-token needs a `token`",
    ];
    pure_token_with_a_value: arguments(r#"{"name": "a", "token": "A", "type": "pure-token", "multiple": true, "count": "n", "default": 1}"#) => [
        "t.json:3: PING: argument `a`: `multiple` makes no sense on a pure-token: it has no value",
        "t.json:3: PING: argument `a`: `default` makes no sense on a pure-token: it has no value",
        "t.json:3: PING: argument `a`: `count` makes no sense on a pure-token: it has no value",
    ];
    multiple_token_without_multiple: arguments(r#"{"name": "a", "token": "A", "type": "integer", "multiple_token": true}"#) => [
        "t.json:3: PING: argument `a`: `multiple_token` needs `multiple` and a `token`, which it sends before every element",
    ];
    only_token_without_bool: arguments(r#"{"name": "a", "token": "A", "type": "integer", "only_token": true}"#) => [
        "t.json:3: PING: argument `a`: `only_token` needs the type `bool` and a `token`, which is sent if it is true",
    ];
    count_of_one: arguments(r#"{"name": "a", "type": "key", "count": "numkeys"}"#) => [
        "t.json:3: PING: argument `a`: `count` needs `multiple`: it is the number of elements",
    ];
    count_with_capitals: arguments(r#"{"name": "a", "type": "key", "multiple": true, "count": "Num Keys"}"#) => [
        "t.json:3: PING: argument `a`: count `Num Keys` must be lower-case words with dashes, like `numkeys`",
    ];
    arguments_of_a_value: arguments(r#"{"name": "a", "type": "key", "arguments": [{"name": "b", "type": "key"}]}"#) => [
        "t.json:3: PING: argument `a`: `arguments` needs the type `block` or `oneof`",
    ];
    block_without_arguments: arguments(r#"{"name": "a", "type": "block", "arguments": []}"#) => [
        "t.json:3: PING: argument `a`: a block or oneof needs `arguments`",
    ];
    multiple_block_without_a_type: arguments(r#"{"name": "a", "type": "block", "multiple": true, "arguments": [
{"name": "b", "type": "double"}, {"name": "c", "type": "double"}, {"name": "d", "type": "string"}]}"#) => [
        "t.json:3: PING: argument `a`: a multiple block that is no pair of two simple values needs `as`: the name of its Rust type",
    ];
    pair_that_does_not_work: arguments(r#"{"name": "a", "type": "block", "multiple": true, "arguments": [{"name": "b", "type": "double"}, {"name": "c", "type": "score"}]}"#) => [
        "t.json:3: PING: argument `a`: a pair of `double` and `score` does not work: use `key`, `string` or `text` first, and one of these, `double` or `integer` second; otherwise give it a type of its own with `as`",
    ];
    split_without_a_pair: arguments(r#"{"name": "a", "type": "key", "multiple": true, "split": true}"#) => [
        "t.json:3: PING: argument `a`: `split` needs a multiple block of two simple values",
    ];
    order_without_a_pair: arguments(r#"{"name": "a", "type": "key", "multiple": true, "order": ["a"]}"#) => [
        "t.json:3: PING: argument `a`: `order` needs a multiple block of two simple values",
    ];
    order_of_others: arguments(r#"{"name": "a", "type": "block", "multiple": true, "order": ["b", "d"], "arguments": [{"name": "b", "type": "key"}, {"name": "c", "type": "string"}]}"#) => [
        "t.json:3: PING: argument `a`: `order` must hold the names of the two: `b`, `c`",
    ];
    optional_block_of_options: arguments(r#"{"name": "a", "type": "block", "optional": true, "arguments": [{"name": "b", "token": "B", "type": "pure-token", "optional": true}]}"#) => [
        "t.json:3: PING: argument `a`: an optional block needs a token or a required argument",
    ];
    oneof_of_one: arguments(r#"{"name": "a", "type": "oneof", "optional": true, "arguments": [{"name": "b", "type": "key"}]}"#) => [
        "t.json:3: PING: argument `a`: a oneof needs at least two alternatives",
    ];
    required_oneof_of_tokens: arguments(r#"{"name": "a", "type": "oneof", "arguments": [{"name": "b", "token": "B", "type": "pure-token"}, {"name": "c", "token": "C", "type": "pure-token"}]}"#) => [
        r#"t.json:3: PING: argument `a`: a required oneof of tokens only is an enum: declare it in "enums" and use it as `type`"#,
    ];
    required_oneof_of_values: arguments(r#"{"name": "a", "type": "oneof", "arguments": [{"name": "b", "type": "key"}, {"name": "c", "type": "string"}]}"#) => [
        "t.json:3: PING: argument `a`: a required oneof with values needs `as`: the name of its Rust type",
    ];
    multiple_oneof_without_a_type: arguments(r#"{"name": "a", "type": "oneof", "multiple": true, "arguments": [{"name": "b", "type": "key"}, {"name": "c", "type": "string"}]}"#) => [
        "t.json:3: PING: argument `a`: a multiple oneof needs `as`: the name of its Rust type",
    ];
    oneof_in_a_oneof: arguments(r#"{"name": "a", "type": "oneof", "optional": true, "arguments": [{"name": "b", "type": "key"},
{"name": "c", "type": "oneof", "arguments": [{"name": "d", "type": "key"}, {"name": "e", "type": "key"}]}]}"#) => [
        "t.json:4: PING: argument `c`: a oneof cannot be an alternative; put its alternatives beside the others",
    ];
    optional_alternative: arguments(r#"{"name": "a", "type": "oneof", "optional": true, "arguments": [{"name": "b", "type": "key"}, {"name": "c", "type": "string", "optional": true}]}"#) => [
        "t.json:3: PING: argument `c`: an alternative is never `optional`: the oneof is",
    ];
    default_that_is_no_alternative: arguments(r#"{"name": "a", "type": "oneof", "default": "bee", "arguments": [{"name": "beer", "token": "B", "type": "pure-token"}, {"name": "c", "type": "string"}]}"#) => [
        "t.json:3: PING: argument `a`: the default `bee` is no alternative (did you mean `beer`?); use `beer`, `c`",
    ];
    default_alternative_without_value: arguments(r#"{"name": "a", "type": "oneof", "default": "c", "arguments": [{"name": "b", "token": "B", "type": "pure-token"}, {"name": "c", "type": "string"}]}"#) => [
        "t.json:3: PING: argument `c`: the default alternative needs a `default` for its value",
    ];
    default_on_another_alternative: arguments(r#"{"name": "a", "type": "oneof", "default": "b", "arguments": [{"name": "b", "token": "B", "type": "pure-token"}, {"name": "c", "type": "string", "default": "x"}]}"#) => [
        "t.json:3: PING: argument `c`: `default` makes sense only on the default alternative",
    ];
    as_of_a_value: arguments(r#"{"name": "a", "type": "key", "as": "Keys"}"#) => [
        "t.json:3: PING: argument `a`: `as` needs the type `block` or `oneof`",
    ];
    as_in_lower_case: arguments(r#"{"name": "a", "type": "block", "as": "point", "arguments": [{"name": "b", "type": "double"}]}"#) => [
        "t.json:3: PING: argument `a`: `point` must be a Rust type name, like `StreamEntry`",
    ];
    as_in_an_as: arguments(r#"{"name": "a", "type": "block", "as": "Outer", "arguments": [{"name": "b", "type": "block", "as": "Inner", "arguments": [{"name": "c", "type": "double"}]}]}"#) => [
        "t.json:3: PING: argument `b`: `as` cannot stand inside of another `as`",
    ];
    as_with_two_meanings: arguments(r#"{"name": "a", "type": "block", "as": "Point", "arguments": [{"name": "b", "type": "double"}]},
{"name": "c", "type": "block", "as": "Point", "arguments": [{"name": "b", "type": "integer"}]}"#) => [
        "t.json:4: PING: argument `c`: `Point` differs from the one in line 3; choose another name",
    ];
    as_with_the_name_of_an_enum: arguments(r#"{"name": "u", "type": "Unit"}, {"name": "a", "type": "block", "as": "Unit", "arguments": [{"name": "b", "type": "double"}]}"#) => [
        "t.json:3: PING: argument `a`: `Unit` is the enum in line 1 already; choose another name",
    ];
    as_with_two_functions_of_one_name: arguments(r#"{"name": "a", "type": "oneof", "as": "Point", "arguments": [{"name": "b", "type": "double"}, {"name": "c", "type": "integer", "method": "b"}]}"#) => [
        "t.json:3: PING: argument `a`: two functions of its type are called `b`; rename one with `method`",
    ];
    position_on_an_option: arguments(r#"{"name": "a", "type": "key", "optional": true, "position": 0}"#) => [
        "t.json:3: PING: argument `a`: `position` makes no sense here: this is no parameter of the method",
    ];
    positions_with_a_gap: arguments(r#"{"name": "a", "type": "key", "position": 0}, {"name": "b", "type": "string", "position": 2}"#) => [
        "t.json:2: PING: `position` must be on all 2 required arguments, each of 0 to 1 once",
    ];
    position_on_some_only: arguments(r#"{"name": "a", "type": "key", "position": 0}, {"name": "b", "type": "string"}"#) => [
        "t.json:2: PING: `position` must be on all 2 required arguments, each of 0 to 1 once",
    ];
    position_that_is_no_number: arguments(r#"{"name": "a", "type": "key", "position": -1}"#) => [
        "t.json:3: PING: argument `a`: `position` must be a whole number from 0, not -1",
    ];
    method_of_a_parameter: arguments(r#"{"name": "a", "type": "key", "method": "b"}"#) => [
        "t.json:3: PING: argument `a`: `method` makes no sense here: there is no chained method for it",
    ];
    method_with_capitals: arguments(r#"{"name": "a", "type": "integer", "optional": true, "method": "Ex"}"#) => [
        "t.json:3: PING: argument `a`: method `Ex` must be a Rust name, like `only_if_exists`",
    ];
    chained_method_twice: arguments(r#"{"name": "a", "type": "integer", "optional": true},
{"name": "b", "type": "integer", "optional": true, "method": "a"}"#) => [
        "t.json:4: PING: argument `b`: chained method `a` is there twice, first in line 3; rename one with `method`",
    ];
    parameter_twice: arguments(r#"{"name": "a-b", "type": "key"}, {"name": "a_b", "type": "string"}"#) => [
        "t.json:3: PING: argument `a_b`: two parameters of one method are called `a_b`; rename one",
    ];
    reply_of_a_parameter: arguments(r#"{"name": "a", "type": "key", "reply": "Integer"}"#) => [
        "t.json:3: PING: argument `a`: `reply` makes no sense here: only an option can change the reply",
    ];
    unknown_reply_of_an_option: arguments(r#"{"name": "a", "token": "A", "type": "pure-token", "optional": true, "reply": "Integre?"}"#) => [
        r#"t.json:3: PING: argument `a`: unknown reply kind `Integre` (did you mean `Integer`?); use `StatusReply`, `Native`, `Text`, `Blob`, `Integer`, `Float`, `Bool`, `Value`, `ListReply`, `SetReply`, `DictReply`, `ZRangeReply`, `List`, `Set`, `Dict`, `Pairs`, `Pair`, `BlockingPopReply`, `OrTimeout`, `InfoReply`, `ClientListReply`, `ConfigPairReply`, `EvalScriptReply`, `ScanPart` or declare it in "replies""#,
    ];
    flags_of_a_parameter: arguments(r#"{"name": "a", "type": "key", "flags": ["fast"]}"#) => [
        "t.json:3: PING: argument `a`: `flags` make no sense here: only an option can change them",
    ];
    flags_that_change_nothing: arguments(r#"{"name": "a", "type": "key", "optional": true, "flags": ["write", "-readonly"]}"#) => [
        "t.json:3: PING: argument `a`: adds the flag `write`, which the command has already",
        "t.json:3: PING: argument `a`: removes the flag `readonly`, which the command has not",
    ];
    unknown_flag_of_an_option: arguments(r#"{"name": "a", "type": "key", "optional": true, "flags": ["-idempotant"]}"#) => [
        "t.json:3: PING: argument `a`: unknown flag `idempotant` (did you mean `idempotent`?); use `write`, `readonly`, `denyoom`, `admin`, `pubsub`, `noscript`, `blocking`, `loading`, `stale`, `fast`, `noauth`, `may_replicate`, `no_multi`, `no_async_loading`, `no_mandatory_keys`, `movablekeys`, `allow_busy`, `skip_monitor`, `skip_slowlog`, `sort_for_script`, `random`, `idempotent`, `session`, `ends_connection`",
    ];
    timeout_without_blocking: arguments(r#"{"name": "a", "type": "timeout"}"#) => [
        "t.json:3: PING: argument `a`: a timeout needs the flag `blocking`, on the command or on the option; or use `integer`",
    ];
    timeout_in_a_list: arguments(r#"{"name": "a", "type": "timeout", "optional": true, "multiple": true, "flags": ["blocking"]}"#) => [
        "t.json:3: PING: argument `a`: there is only one timeout for a command: use `integer` or `double`",
    ];
    since_of_an_argument: arguments(r#"{"name": "a", "type": "key", "since": "six"}"#) => [
        "t.json:3: PING: argument `a`: `since`: `six` is not a version; write it like `7.4.0`",
    ];
    too_many_arguments: arguments(&(0..251).map(|index| format!(r#"{{"name": "a{index}", "type": "key"}}"#)).collect::<Vec<_>>().join(",\n")) => [
        "t.json:2: PING: 251 arguments are too many; 250 are possible",
    ];
}

/// All mistakes come at once, in the order of the file.
#[test]
fn three_mistakes_in_three_commands() {
    let three = r#"{
  "commands": {
    "GET": {
      "summary": "Gets.", "since": "1.0.0", "group": "string", "flags": ["readonly"],
      "arguments": [
        {"name": "key", "type": "kee"}
      ],
      "reply": "Native?", "example": ["client.get(\"k\").await?;"]
    },
    "PING": {
      "summary": "Answers.", "since": "1.0.0", "group": "connection", "flags": ["fast"],
      "arguments": [], "reply": "StatusRely", "example": ["client.ping().await?;"]
    },
    "ZADD": {
      "summary": "Adds.", "group": "sorted-set", "flags": ["write"],
      "arguments": [], "reply": "Integer", "example": ["client.zadd().await?;"]
    }
  }
}"#;
    let messages = table(three);
    let starts = [
        "t.json:6: GET: argument `key`: unknown type `kee` (did you mean `key`?); use `key`, ",
        "t.json:10: PING: unknown reply kind `StatusRely` (did you mean `StatusReply`?); use ",
        "t.json:14: ZADD: `since` is missing: a version, or one for each fork: ",
    ];
    assert_eq!(messages.len(), 3, "{messages:#?}");
    for (message, start) in messages.iter().zip(starts) {
        assert!(message.starts_with(start), "{message}");
    }
}
