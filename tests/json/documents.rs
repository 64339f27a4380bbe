//! Documents at random: valid, nearly valid, hostile, mutated. The same seed gives the same ones.

/// SplitMix64: the same documents in every run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit.max(1) as u64) as usize
    }

    pub fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

/// Writes documents with so many faults, while they last, each as likely as `one_in` says.
struct Writer<'r> {
    random: &'r mut Random,
    out: Vec<u8>,
    faults: usize,
    one_in: usize,
}

impl Writer<'_> {
    fn is_wrong(&mut self) -> bool {
        let is_wrong = self.faults > 0 && self.random.below(self.one_in) == 0;
        self.faults -= usize::from(is_wrong);
        is_wrong
    }

    /// One of `right`, or where there is to be a fault, of `wrong`.
    fn put(&mut self, right: &[&[u8]], wrong: &[&[u8]]) {
        let list = if self.is_wrong() { wrong } else { right };
        let text = self.random.pick(list);
        self.out.extend_from_slice(text);
    }

    fn space(&mut self) {
        if self.random.below(4) == 0 {
            self.put(
                &[b" ", b"\n", b"\r\n", b"\t", b"  \t \n"],
                &[b"\x0b", b"\x0c", b"\xc2\xa0", b"\xe2\x80\xa8", b"\0", b"//\n", b"/**/", b"\xef\xbb\xbf", b"\x85"],
            );
        }
    }

    fn number(&mut self) {
        self.put(&[b"", b"-"], &[b"+", b"--", b"- ", b"."]);
        match self.random.below(40) {
            0 => self.out.extend(std::iter::repeat_n(b'9', 400)),
            1 => self.out.extend(std::iter::repeat_n(b'1', 20)),
            _ => self.put(
                &[
                    b"0",
                    b"7",
                    b"10",
                    b"123456789012345678",
                    b"18446744073709551615",
                    b"18446744073709551616",
                    b"9007199254740993",
                ],
                &[b"00", b"01", b"", b"0x1", b"1_0", b"\xd9\xa3", b"1,0", b"\xef\xbc\x91"],
            ),
        }
        if self.random.below(3) == 0 {
            self.put(
                &[b".0", b".5", b".000000000000000000000000000001"],
                &[b".", b"..1", b".-1", b". 1", b".e1", b"._"],
            );
        }
        if self.random.below(3) == 0 {
            self.put(
                &[
                    b"e1",
                    b"E0",
                    b"e+2",
                    b"E-3",
                    b"e308",
                    b"e309",
                    b"E-400",
                    b"e00001",
                    b"e99999999999999999999",
                    b"e-99999999999999999999",
                ],
                &[b"e", b"E+", b"e-", b"e1.5", b"e+-1", b"ee1", b"e 1", b"f", b"n", b"d1", b"e0x1"],
            );
        }
    }

    fn string(&mut self) {
        self.put(&[b"\""], &[b"'", b"", b"`", b"\\\"", b"\xe2\x80\x9c"]);
        for _ in 0..self.random.below(6) {
            match self.random.below(4) {
                0 => self.put(
                    &[
                        b"a",
                        b"plain text",
                        b"12345678",
                        b"{}[],:",
                        b"//",
                        b"model",
                        b"\x7f",
                        b"e1 9",
                        b"99999999999999999",
                    ],
                    &[b"\"", b"\n", b"\0", b"\x1f", b"\t", b"\r", b"\x08"],
                ),
                1 => self.put(
                    &[
                        "é".as_bytes(),
                        "中文".as_bytes(),
                        "😀".as_bytes(),
                        "\u{2028}".as_bytes(),
                        "\u{feff}".as_bytes(),
                        "\u{ffff}".as_bytes(),
                        "\u{10ffff}".as_bytes(),
                    ],
                    &[
                        b"\xff",
                        b"\xc3",
                        b"\x80",
                        b"\xc0\x80",
                        b"\xe0\x80\x80",
                        b"\xed\xa0\x80",
                        b"\xed\xbf\xbf",
                        b"\xf4\x90\x80\x80",
                        b"\xf0\x9f\x98",
                        b"\xf8\x88\x80\x80\x80",
                        b"\xe4\xb8",
                    ],
                ),
                2 => self.put(
                    &[
                        b"\\\"", b"\\\\", b"\\/", b"\\b", b"\\f", b"\\n", b"\\r", b"\\t", b"\\u0000", b"\\u00E9",
                        b"\\uffff", b"\\ud7ff", b"\\ue000",
                    ],
                    &[
                        b"\\x41",
                        b"\\",
                        b"\\'",
                        b"\\0",
                        b"\\a",
                        b"\\U0041",
                        b"\\u",
                        b"\\u12",
                        b"\\u12g4",
                        b"\\u 123",
                        b"\\u+123",
                        b"\\\n",
                        b"\\\xc3\xa9",
                        b"\\u00\xc3\xa9",
                    ],
                ),
                _ => self.put(
                    &[b"\\ud83d\\ude00", b"\\uD800\\uDC00", b"\\udbff\\udfff"],
                    &[
                        b"\\ud83d",
                        b"\\ude00",
                        b"\\ud83d\\ud83d",
                        b"\\ude00\\ud83d",
                        b"\\ud83d\\u0041",
                        b"\\ud83dx",
                        b"\\ud83d\\n",
                        b"\\ud83d\\",
                        b"\\ud83d\\u",
                        b"\\ud83d\\ude0",
                        b"\\ud83d \\ude00",
                        b"\\udfff\\udfff",
                    ],
                ),
            }
        }
        self.put(&[b"\""], &[b"'", b"", b"\"\"", b"\\\""]);
    }

    fn elements(&mut self, depth: usize, close: (&'static [u8], &'static [u8]), each: fn(&mut Self, usize)) {
        for index in 0..self.random.below(5) {
            if index > 0 {
                self.put(&[b","], &[b"", b",,", b";", b":", b"."]);
            }
            self.space();
            each(self, depth);
            self.space();
        }
        self.put(&[close.0], &[close.1, b"", b",]", b",}", b"]]", b"}}", b")"]);
    }

    fn value(&mut self, depth: usize) {
        match self.random.below(if depth == 0 { 7 } else { 12 }) {
            0 => self.put(&[b"null"], &[b"nul", b"NULL", b"nulll", b"None", b"n", b"undefined"]),
            1 => self.put(
                &[b"true", b"false"],
                &[b"True", b"tru", b"falsee", b"t", b"yes", b"NaN", b"Infinity", b"-Infinity"],
            ),
            2..=4 => self.number(),
            5 | 6 => self.string(),
            7 | 8 => {
                self.put(&[b"["], &[b"", b"[,", b"[[", b"("]);
                self.elements(depth - 1, (b"]", b"}"), Self::value);
            }
            _ => {
                self.put(&[b"{"], &[b"", b"{,", b"{{", b"{}"]);
                self.elements(depth - 1, (b"}", b"]"), |it, depth| {
                    match it.random.below(3) {
                        0 => it.put(
                            &[b"\"a\"", b"\"\\u0061\"", b"\"\"", b"\"model\""],
                            &[b"a", b"1", b"null", b"'a'", b"[]"],
                        ),
                        _ => it.string(),
                    }
                    it.space();
                    it.put(&[b":"], &[b"", b"::", b"=", b",", b"=>"]);
                    it.space();
                    it.value(depth);
                });
            }
        }
    }
}

/// A document; without faults it is valid.
pub fn document(random: &mut Random, faults: usize, one_in: usize) -> Vec<u8> {
    let mut writer = Writer { random, out: Vec::new(), faults, one_in };
    writer.put(&[b""], &[b"\xef\xbb\xbf", b"\0", b"\xff\xfe", b",", b"\x1e", b"{}"]);
    writer.space();
    writer.value(5);
    writer.space();
    writer.put(&[b""], &[b"\0", b"x", b",", b"null", b"{}", b"\xff", b"\n1", b"\"", b"]", b"}"]);
    writer.out
}

/// Bytes changed, taken out, put in, or moved; the end cut off.
pub fn mutated(random: &mut Random, document: &[u8]) -> Vec<u8> {
    let mut bytes = document.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        let new = b"{}[]\",:\\u019.eE+- tfn\x00\x1f\xff\xc3\xa9d8"[random.below(28)];
        match random.below(5) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => bytes[at] = new,
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => {
                let moved: Vec<u8> = bytes.drain(at..(at + 9).min(bytes.len())).collect();
                let to = random.below(bytes.len());
                bytes.splice(to..to, moved);
            }
            _ => bytes.insert(at, new),
        }
    }
    bytes
}
