// Package mrz decides what the machine-readable zone of an identity document says: it
// writes and reads the sizes TD1, TD2 and TD3 of ICAO Doc 9303 (parts 3, 4, 5 and 6,
// eighth edition) with every check digit, turns names into the letters A to Z, shortens
// them by the rules of the standard and knows the country codes a zone uses. Visas are
// not read. It does no I/O and reads no clock.
package mrz

import (
	"fmt"
	"strings"
	"time"

	"vidimus/internal/domain/fault"
)

// Format is the size of a zone. The zero value is no size.
type Format int

// The sizes of Doc 9303.
const (
	TD1 Format = iota + 1 // cards: three lines of 30
	TD2                   // larger cards: two lines of 36
	TD3                   // passports: two lines of 44
)

// shape is what tells the sizes apart.
type shape struct{ lines, width, name int }

var shapes = map[Format]shape{TD1: {3, 30, 30}, TD2: {2, 36, 31}, TD3: {2, 44, 39}}

// Zone is the content of one machine-readable zone. What Parse returns holds only
// letters, digits and single spaces; Lines accepts any text and transliterates it.
type Zone struct {
	Format      Format
	Code        string // document code: "P", "PP", "I", "ID", "A", "C", …
	Issuer      string // code of the issuing state as the zone prints it, no fillers: "D", "UTO"
	Number      string // document number; longer than nine characters in TD1 and TD2 only
	Nationality string // same codes as Issuer
	Birthday    string // YYMMDD; an unknown part is "<<"
	Sex         string // "M", "F" or empty: unspecified
	ValidUntil  string // YYMMDD, as Birthday
	Surname     string // the primary identifier
	GivenNames  string // the secondary identifier; may be empty
	Optional    string // what the issuer adds: TD1 first line, TD2, and TD3 personal number
	Optional2   string // TD1 second line only
	Truncated   bool   // the name fills its field, so the end may be missing; Parse sets it, Lines ignores it
}

// Lines returns the zone as it is printed: three strings of 30, two of 36 or two of 44
// characters out of A to Z, 0 to 9 and "<". Names are transliterated and shortened to
// fit; a code, number, date or optional value that does not fit is a fault.Invalid that
// names the field.
func (z Zone) Lines() ([]string, error) {
	f, err := z.fields()
	if err != nil {
		return nil, err
	}
	names := nameField(z.Surname, z.GivenNames, shapes[z.Format].name)
	head := f.code + f.issuer
	number, optional, err := f.numberAndOptional(z.Format)
	if err != nil {
		return nil, err
	}
	birth, until := f.birthday+digit(f.birthday), f.until+digit(f.until)
	switch z.Format {
	case TD1:
		upper := head + number + optional
		middle := birth + f.sex + until + f.nationality + f.optional2
		return []string{upper, middle + digit(upper[5:], middle[:7], middle[8:15], middle[18:]), names}, nil
	case TD2:
		lower := number + f.nationality + birth + f.sex + until + optional
		return []string{head + names, lower + digit(lower[:10], lower[13:20], lower[21:])}, nil
	default: // TD3: the personal number has a check digit of its own, a filler when there is none
		own := digit(optional)
		if f.optional == "" {
			own = "<"
		}
		lower := number + f.nationality + birth + f.sex + until + optional + own
		return []string{head + names, lower + digit(lower[:10], lower[13:20], lower[21:])}, nil
	}
}

// fields are the parts of a zone in the letters it is printed in; all but the number and
// the optional values have their printed width.
type fields struct {
	code, issuer, number, nationality, birthday, sex, until, optional, optional2 string
}

func (z Zone) fields() (fields, error) {
	var f fields
	if _, known := shapes[z.Format]; !known {
		return f, bad("format", "no such size")
	}
	for _, v := range []struct {
		to         *string
		name, text string
		width      int
	}{
		{&f.code, "code", z.Code, 2},
		{&f.issuer, "issuer", z.Issuer, 3},
		{&f.nationality, "nationality", z.Nationality, 3},
		{&f.optional2, "optional2", z.Optional2, 11},
	} {
		s := symbols(v.text)
		if len(s) > v.width {
			return f, bad(v.name, "is too long")
		}
		*v.to = pad(s, v.width)
	}
	if !knownCode(z.Format, f.code) {
		return f, bad("code", "does not fit the size")
	}
	if z.Format != TD1 && z.Optional2 != "" {
		return f, bad("optional2", "only TD1 has it")
	}
	f.number, f.optional = symbols(z.Number), symbols(z.Optional)
	f.birthday, f.until = z.Birthday, z.ValidUntil
	if !plausibleDate(f.birthday) {
		return f, bad("birthday", "must look like YYMMDD")
	}
	if !plausibleDate(f.until) {
		return f, bad("validuntil", "must look like YYMMDD")
	}
	switch z.Sex {
	case "M", "F":
		f.sex = z.Sex
	case "":
		f.sex = "<"
	default:
		return f, bad("sex", "must be M, F or empty")
	}
	return f, nil
}

// numberAndOptional returns the ten characters of document number and check digit, and
// the optional field. A number over nine characters goes on in the optional field of TD1
// and TD2: a filler stands where the check digit was, and the check digit follows the
// rest of the number (Doc 9303-5, 4.2.2, note j).
func (f fields) numberAndOptional(format Format) (number, optional string, err error) {
	width := map[Format]int{TD1: 15, TD2: 7, TD3: 14}[format]
	number, optional = pad(f.number, 9), f.optional
	check := digit(number)
	if len(f.number) > 9 {
		if format == TD3 {
			return "", "", bad("number", "is too long")
		}
		number, check = f.number[:9], "<"
		optional = f.number[9:] + digit(f.number) + "<" + f.optional
		if f.optional == "" {
			optional = strings.TrimSuffix(optional, "<")
		}
	}
	if len(optional) > width {
		return "", "", bad("optional", "is too long")
	}
	return number + check, pad(optional, width), nil
}

// BirthDate returns the birthday in full: the latest such day that is not after today,
// since the zone has no century. False when a part is unknown or there is no such day.
func (z Zone) BirthDate(today time.Time) (time.Time, bool) {
	return inCentury(z.Birthday, func(d time.Time) bool { return !d.After(today) }, today.Year()/100)
}

// ExpiryDate returns the last day of validity in full: the latest such day that is at
// most 50 years after today. False as for BirthDate.
func (z Zone) ExpiryDate(today time.Time) (time.Time, bool) {
	limit := today.AddDate(50, 0, 0)
	return inCentury(z.ValidUntil, func(d time.Time) bool { return !d.After(limit) }, limit.Year()/100)
}

// inCentury tries the century and the ones before it until the day passes. Two more are
// enough: one because the day may be ahead, one because 29 February may not exist in it.
func inCentury(yymmdd string, passes func(time.Time) bool, century int) (time.Time, bool) {
	if len(yymmdd) != 6 {
		return time.Time{}, false
	}
	for back := range 3 {
		full := fmt.Sprintf("%02d%s", century-back, yymmdd)
		if d, err := time.Parse("20060102", full); err == nil && passes(d) {
			return d, true
		}
	}
	return time.Time{}, false
}

// Date returns a date as the zone prints it. The zero time is "<<<<<<": unknown.
func Date(d time.Time) string {
	if d.IsZero() {
		return "<<<<<<"
	}
	return d.Format("060102")
}

// knownCode says whether a document code (two characters) may stand in a zone of that
// size: P for passports, A, C and I for
// cards. V would be a visa.
func knownCode(format Format, code string) bool {
	if format == TD3 {
		return code[0] == 'P'
	}
	return strings.IndexByte("ACI", code[0]) >= 0
}

// plausibleDate is true for six characters whose pairs are numbers of a date or fillers.
func plausibleDate(s string) bool {
	if len(s) != 6 {
		return false
	}
	for i, most := range []string{"99", "12", "31"} {
		part := s[2*i : 2*i+2]
		if part == "<<" {
			continue
		}
		if !isDigit(part[0]) || !isDigit(part[1]) || part > most || i > 0 && part == "00" {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func pad(s string, width int) string {
	if len(s) >= width {
		return s
	}
	return s + strings.Repeat("<", width-len(s))
}

// bad is the fault for one field of a zone; the text holds nothing of its content.
func bad(field, why string) error {
	return fault.New(fault.Invalid, "machine-readable zone: %s %s", field, why).In(field)
}
