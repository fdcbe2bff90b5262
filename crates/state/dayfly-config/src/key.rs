//! Keys as people write them: `orders.max_concurrency`, `endpoints.0.url`, `routes."a.b"`.

/// The key of what stands under `name` in `parent`; the root has the empty key.
pub(crate) fn child(parent: &str, name: &str) -> String {
    let plain = !name.is_empty() && !name.contains(['.', '"', '\\']) && !name.contains(char::is_control);
    let name = if plain { name.to_owned() } else { format!("{name:?}") };
    if parent.is_empty() { name } else { format!("{parent}.{name}") }
}

/// The key of the table that this one stands in; none for the root.
pub(crate) fn parent(key: &str) -> Option<&str> {
    if key.is_empty() {
        return None;
    }
    let (mut quoted, mut escaped, mut dot) = (false, false, None);
    for (at, letter) in key.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '.' if !quoted => dot = Some(at),
            _ => {}
        }
    }
    Some(dot.map_or("", |at| &key[..at]))
}

/// The name that a key ends with.
pub(crate) fn name(key: &str) -> &str {
    match parent(key) {
        Some("") | None => key,
        Some(parent) => &key[parent.len() + 1..],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_up_to_the_root_whatever_its_names_are() {
        let key = child(&child(&child("", "routes"), "a.b\"c"), "url");
        assert_eq!(key, r#"routes."a.b\"c".url"#);
        assert_eq!(parent(&key), Some(r#"routes."a.b\"c""#));
        assert_eq!(parent(r#"routes."a.b\"c""#), Some("routes"));
        assert_eq!((parent("routes"), parent("")), (Some(""), None));
        assert_eq!((name(&key), name("routes"), name("")), ("url", "routes", ""));
    }
}
