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

/// A form with this part beside the model.
fn with(part: &str) -> Result<(), String> {
    let form =
        format!("--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n--b\r\n{part}\r\n--b--\r\n");
    read_form(form.as_bytes(), "b").map(drop).map_err(|error| error.param().unwrap_or_default().to_owned())
}

#[test]
fn no_other_reader_finds_another_model() {
    const D: &str = "Content-Disposition: form-data; ";
    for fine in ["name=\"x\"\r\n\r\n1", "name=\"f\"; filename=\"name=model\"\r\nContent-Type: a/b\r\n\r\n\r\n\r\n"] {
        assert_eq!(with(&format!("{D}{fine}")), Ok(()), "{fine}");
    }
    for (part, param) in [
        ("name=\"model\"\r\n\r\ngpt-5", "model"),
        ("name=\"MODEL\"\r\n\r\ngpt-5", "model"),
        ("name=\"model\"; filename=\"x\"\r\n\r\ngpt-5", "model"),
        ("name=model\r\n\r\ngpt-5", "body"),
        ("Name=\"model\"\r\n\r\ngpt-5", "model"),
        ("name =\"model\"\r\n\r\ngpt-5", "body"),
        ("name=\"mod\\el\"\r\n\r\ngpt-5", "body"),
        ("filename=\"model\"; name=\"model\"\r\n\r\ngpt-5", "body"),
        ("name=\"x\"; name=\"model\"\r\n\r\ngpt-5", "body"),
        ("name=\"x\"; filename=\"a\"; name=\"model\"\r\n\r\ngpt-5", "body"),
        ("name=\"x\"\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ngpt-5", "body"),
        ("name=\"x\";\r\n name=\"model\"\r\n\r\ngpt-5", "body"),
        ("name=\"x\"\r\n name=\"model\"\r\n\r\ngpt-5", "body"),
    ] {
        assert_eq!(with(&format!("{D}{part}")), Err(param.into()), "{part}");
    }
    let long = format!("X: {}\r\n{D}name=\"model\"\r\n\r\ngpt-5", "y".repeat(9000));
    for part in ["x: y\r\n\r\n1", "\r\n\r\n1", &long] {
        assert_eq!(with(part), Err("body".into()));
    }
}

#[test]
fn what_is_no_form() {
    for (body, boundary, param) in [
        ("", "b", "body"),
        (FORM, "c", "body"),
        ("--b\r\n", "b", "body"),
        ("--b", "b", "body"),
        (FORM.trim_end_matches("\r\n--b--\r\n"), "b", "body"),
        (&FORM.replace("--b--", "--b--zz"), "b", "body"),
        (&FORM.replace("--b--\r\n", "--b--\r\n--b\r\nx"), "b", "body"),
        (&FORM.replace("whisper", "a\nb"), "b", "model"),
    ] {
        assert_eq!(read_form(body.as_bytes(), boundary).unwrap_err().param(), Some(param), "{body}");
    }
}

#[test]
fn boundaries() {
    assert_eq!(boundary("multipart/form-data; boundary=abc"), Some("abc"));
    assert_eq!(boundary("Multipart/Form-Data; BOUNDARY=\"a'b\""), Some("a'b"));
    let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
    for none in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/mixed; boundary=a",
        "x",
        &long,
        "multipart/form-data; boundary=a; boundary=b",
        "multipart/form-data; charset=x; boundary=b",
        "multipart/form-data; boundary=a b",
    ] {
        assert_eq!(boundary(none), None, "{none}");
    }
}
