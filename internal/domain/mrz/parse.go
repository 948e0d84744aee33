package mrz

import (
	"strings"

	"vidimus/internal/domain/fault"
)

// mostInput is well over the 88 characters of the longest zone with its line breaks.
const mostInput = 256

// Parse reads a zone: its lines with or without line breaks and spaces between them,
// at most 256 bytes, in capital letters. What is not a zone of TD1, TD2 or TD3 is a
// fault.Invalid and the Zone is empty. When only check digits are wrong the Zone is
// filled and the error is a *CheckError. No error repeats what was read.
func Parse(text string) (Zone, error) {
	if len(text) > mostInput {
		return Zone{}, fault.New(fault.Invalid, "machine-readable zone: too long")
	}
	s := strings.Join(strings.Fields(text), "")
	for i := range len(s) {
		if c := s[i]; c != '<' && !isDigit(c) && (c < 'A' || c > 'Z') {
			return Zone{}, fault.New(fault.Invalid, "machine-readable zone: unexpected character")
		}
	}
	switch len(s) {
	case 90:
		return parseTD1(s[:30], s[30:60], s[60:])
	case 72:
		return parseTwoLines(TD2, s[:36], s[36:])
	case 88:
		return parseTwoLines(TD3, s[:44], s[44:])
	}
	return Zone{}, fault.New(fault.Invalid, "machine-readable zone: no size has this many characters")
}

func parseTD1(upper, middle, lower string) (Zone, error) {
	z := Zone{Format: TD1, Optional2: unpad(middle[18:29])}
	var wrong []string
	check(&wrong, "composite", middle[29], upper[5:], middle[:7], middle[8:15], middle[18:29])
	if err := z.read(&wrong, upper[:5], upper[5:15], middle[15:18], middle[:15], lower); err != nil {
		return Zone{}, err
	}
	z.readNumber(&wrong, upper[5:15], upper[15:])
	return z, checked(wrong)
}

func parseTwoLines(format Format, upper, lower string) (Zone, error) {
	z := Zone{Format: format}
	end := len(lower) - 1
	var wrong []string
	check(&wrong, "composite", lower[end], lower[:10], lower[13:20], lower[21:end])
	if err := z.read(&wrong, upper[:5], lower[:10], lower[10:13], lower[13:28], upper[5:]); err != nil {
		return Zone{}, err
	}
	if format == TD2 {
		z.readNumber(&wrong, lower[:10], lower[28:end])
		return z, checked(wrong)
	}
	z.Number = unpad(lower[:9])
	check(&wrong, "number", lower[9], lower[:9])
	z.Optional = unpad(lower[28:42])
	if own := lower[42]; own != '<' || z.Optional != "" {
		check(&wrong, "optional", own, lower[28:42])
	}
	return z, checked(wrong)
}

// read fills what all sizes share. dates is birthday, check, sex, expiry, check.
func (z *Zone) read(wrong *[]string, head, number, nationality, dates, names string) error {
	if !knownCode(z.Format, head[:2]) {
		return bad("code", "is none of an identity document")
	}
	z.Code, z.Issuer, z.Nationality = unpad(head[:2]), unpad(head[2:]), unpad(nationality)
	if number[0] == '<' {
		return bad("number", "is missing")
	}
	z.Birthday, z.ValidUntil = dates[:6], dates[8:14]
	if !plausibleDate(z.Birthday) {
		return bad("birthday", "is no date")
	}
	if !plausibleDate(z.ValidUntil) {
		return bad("validuntil", "is no date")
	}
	check(wrong, "birthday", dates[6], z.Birthday)
	check(wrong, "validuntil", dates[14], z.ValidUntil)
	switch dates[7] {
	case 'M', 'F':
		z.Sex = dates[7:8]
	case '<':
	default:
		return bad("sex", "must be M, F or a filler")
	}
	if strings.ContainsAny(names, "0123456789") || names[0] == '<' {
		return bad("name", "must be letters")
	}
	primary, secondary, _ := strings.Cut(names, "<<")
	z.Surname, z.GivenNames = unpad(primary), unpad(secondary)
	z.Truncated = names[len(names)-1] != '<'
	return nil
}

// readNumber reads the document number of TD1 and TD2, which may go on in the optional
// field: then its check digit is a filler, and the optional field begins with the rest of
// the number, the check digit and a filler.
func (z *Zone) readNumber(wrong *[]string, number, optional string) {
	if number[9] != '<' || optional[0] == '<' {
		z.Number, z.Optional = unpad(number[:9]), unpad(optional)
		check(wrong, "number", number[9], number[:9])
		return
	}
	rest, more, _ := strings.Cut(optional, "<")
	last := len(rest) - 1
	z.Number = unpad(number[:9] + rest[:last])
	z.Optional = unpad(more)
	check(wrong, "number", rest[last], number[:9]+rest[:last])
}

func check(wrong *[]string, field string, printed byte, parts ...string) {
	if digit(parts...) != string(rune(printed)) {
		*wrong = append(*wrong, field)
	}
}

func checked(wrong []string) error {
	if len(wrong) == 0 {
		return nil
	}
	return &CheckError{Fields: wrong}
}

// unpad turns fillers into single spaces and drops those at either end.
func unpad(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '<' }), " ")
}
