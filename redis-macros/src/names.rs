//! Names: from the table's to Rust's, and what was probably meant by an unknown one.

/// `CLIENT NO-EVICT` -> `client_no_evict`, `min-idle-time` -> `min_idle_time`, `MOVE` -> `move_`.
pub(crate) fn snake(name: &str) -> String {
    let snake: String = name
        .chars()
        .map(|c| {
            if matches!(c, ' ' | '-' | '.') {
                '_'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect();
    if is_keyword(&snake) {
        snake + "_"
    } else {
        snake
    }
}

/// The name of a parameter of a generated function, whose body uses a few names of its own.
pub(crate) fn parameter(name: &str) -> String {
    let snake = snake(name);
    if matches!(snake.as_str(), "command" | "encoder" | "n") {
        snake + "_"
    } else {
        snake
    }
}

/// `sorted-set` -> `SortedSet`, `client_no_evict` -> `ClientNoEvict`, `type_` -> `Type`.
pub(crate) fn pascal(name: &str) -> String {
    name.split(['-', '_', ' ', '.'])
        .flat_map(|word| {
            let mut chars = word.chars();
            chars
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(chars)
        })
        .collect()
}

/// Whether a name can be a method, a parameter or a field as it is.
pub(crate) fn is_snake(name: &str) -> bool {
    starts_with(name, |c| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !is_keyword(name)
}

/// Whether a name can be a type.
pub(crate) fn is_pascal(name: &str) -> bool {
    starts_with(name, |c| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric())
        && name != "Self"
}

/// Whether a name is one of the table's: lower-case words with dashes.
pub(crate) fn is_dashed(name: &str) -> bool {
    starts_with(name, |c| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'))
}

fn starts_with(name: &str, first: impl Fn(char) -> bool) -> bool {
    name.chars().next().is_some_and(first)
}

fn is_keyword(name: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
        "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
        "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub",
        "ref", "return", "self", "static", "struct", "super", "trait", "true", "try", "type",
        "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
    ];
    KEYWORDS.contains(&name)
}

/// " (did you mean `double`?)" if one of the candidates is near, otherwise nothing.
pub(crate) fn did_you_mean<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> String {
    let nearest = candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .min();
    match nearest {
        Some((distance, candidate))
            if distance <= 1 + name.len() / 4 && distance < candidate.len() =>
        {
            format!(" (did you mean `{candidate}`?)")
        }
        _ => String::new(),
    }
}

/// How many letters must be inserted, deleted, replaced or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (
        a.to_lowercase().chars().collect(),
        b.to_lowercase().chars().collect(),
    );
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let differs = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1)
                .min(row[j - 1] + 1)
                .min(rows[i - 1][j - 1] + differs);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// "`a`, `b`, `c`"
pub(crate) fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names
        .into_iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_rust() {
        assert_eq!(snake("CLIENT NO-EVICT"), "client_no_evict");
        assert_eq!(snake("JSON.SET"), "json_set");
        assert_eq!(snake("MOVE"), "move_");
        assert_eq!(snake("min-idle-time"), "min_idle_time");
        assert_eq!(parameter("command"), "command_");
        assert_eq!(pascal("sorted-set"), "SortedSet");
        assert_eq!(pascal("type_"), "Type");
        assert!(
            is_snake("type_")
                && !is_snake("type")
                && !is_snake("Type")
                && !is_snake("1a")
                && !is_snake("")
        );
        assert!(
            is_pascal("ZAggregate")
                && !is_pascal("zAggregate")
                && !is_pascal("Z_A")
                && !is_pascal("Self")
        );
        assert!(is_dashed("min-idle-time") && !is_dashed("Min") && !is_dashed("a b"));
    }

    #[test]
    fn a_near_name_is_proposed() {
        let words = ["double", "integer", "key"];
        assert_eq!(did_you_mean("dobule", words), " (did you mean `double`?)");
        assert_eq!(
            did_you_mean("Interger", words),
            " (did you mean `integer`?)"
        );
        assert_eq!(did_you_mean("hyperloglog", words), "");
        assert_eq!(did_you_mean("x", words), "");
    }
}
