package person

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vidimus/internal/domain/iso"
)

// dateLayout is how requests and results write a date (3.2.8).
const dateLayout = "2006-01-02"

// plainText says whether s is text that a field can hold: UTF-8, 255 characters at most,
// no control characters and none that XML cannot carry.
func plainText(s string) bool {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxRunes {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) || r == 0xFFFE || r == 0xFFFF {
			return false
		}
	}
	return true
}

// day reads a date that exists, in the year 1 or later.
func day(s string) (time.Time, bool) {
	d, err := time.Parse(dateLayout, s)
	return d, err == nil && d.Year() > 0
}

// birthday says whether s is a date that is not after today, today as its own location
// has it.
func birthday(s string, today time.Time) bool {
	d, ok := day(s)
	return ok && d.Format(dateLayout) <= today.Format(dateLayout)
}

func gender(s string) bool { return s == "MALE" || s == "FEMALE" }

// code checks the fields that are codes; text is always right here.
func (f Field) code(s string) bool {
	switch f {
	case Nationality, Country:
		return iso.Country(s)
	case Gender:
		return gender(s)
	case Birthday:
		_, ok := day(s)
		return ok
	case Firstname, Lastname, Birthplace, Birthname, Title, Street, StreetNumber, City, Zipcode:
		return true
	}
	return false
}

// email says whether s may be the address of a mailbox. It is a plausibility check: only
// mail proves an address.
func email(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 {
		return false
	}
	return mailbox(s[:at]) && host(s[at+1:])
}

func mailbox(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsAny(atom, `<>()[],;:\"@`) || strings.ContainsFunc(atom, unseen) {
			return false
		}
	}
	return true
}

// host wants a dot, as mail on the internet does; localhost is for test systems.
func host(s string) bool {
	if s == "localhost" {
		return true
	}
	labels := strings.Split(s, ".")
	if len(labels) < 2 || len(s) > 253 {
		return false
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(r rune) bool { return r != '-' && !unicode.In(r, unicode.L, unicode.M, unicode.N) }) {
			return false
		}
	}
	return true
}

// unseen says whether r is a space or another character without a picture.
func unseen(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }
