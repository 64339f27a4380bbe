use crate::request::*;

const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"model\"\r\n\r\n\
    name=\"model\"\r\n-- b\r\n\r\nx\r\n--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n--b--\r\n";

#[test]
fn the_model_of_a_form() {
    let request = read_form(FORM.as_bytes(), "b").unwrap();
    assert_eq!(request.model.as_deref(), Some("whisper"));
    assert_eq!(request.members.list[0].value.of(FORM.as_bytes()), b"whisper");
    let without = FORM.replace("name=\"model\"\r\n\r\nwhisper", "name=\"prompt\"\r\n\r\nwhisper");
    assert_eq!(read_form(without.as_bytes(), "b").unwrap().model, None);
}

#[test]
fn what_is_no_form() {
    let twice = FORM.replacen("--b\r\n", "--b\r\nx: y; name=\"model\"\r\n\r\na\r\n--b\r\n", 1);
    for (body, boundary, param) in [
        ("", "b", "body"),
        (FORM, "c", "body"),
        ("--b\r\n", "b", "body"),
        ("--b", "b", "body"),
        (FORM.trim_end_matches("\r\n--b--\r\n"), "b", "body"),
        (&twice, "b", "model"),
        ("--b\r\nx; name=\"model\"\r\n\r\na\nb\r\n--b--", "b", "model"),
    ] {
        assert_eq!(read_form(body.as_bytes(), boundary).unwrap_err().param(), Some(param), "{body}");
    }
}

#[test]
fn boundaries() {
    assert_eq!(boundary("multipart/form-data; boundary=abc"), Some("abc"));
    assert_eq!(boundary("Multipart/Form-Data; charset=x; BOUNDARY=\"a b\""), Some("a b"));
    let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
    for none in ["multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=a", "x", &long] {
        assert_eq!(boundary(none), None, "{none}");
    }
}
