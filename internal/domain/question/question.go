// Package question decides what a company may ask in addition, and which answers may be
// pre-defined: the question types and the values they take. Specification, chapters 3.2.9
// and 13.1.7.
package question

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/iso"
)

// Type says how a question is asked, and so which values answer it. The values are those
// of the specification.
type Type string

// The types (3.2.9, 13.1.7).
const (
	RadioBoolean      Type = "RADIO_BOOLEAN"      // 0 or 1
	RadioString       Type = "RADIO_STRING"       // one of the options
	Dropdown          Type = "DROPDOWN"           // one of the options
	DropdownCountries Type = "DROPDOWN_COUNTRIES" // ISO 3166-1 alpha-2
	Input             Type = "INPUT"              // any text
	Numeric           Type = "NUMERIC"            // an integer
	Date              Type = "DATE"               // YYYY-MM-DD
	CustomImage       Type = "CUSTOM_IMAGE"       // 0 or 1: whether the picture was taken; the agent's alone
)

// Types lists every type in the order of the specification.
var Types = []Type{RadioBoolean, RadioString, Dropdown, DropdownCountries, Input, Numeric, Date, CustomImage}

// Bounds of a definition and of an answer, in characters and entries.
const (
	maxText       = 255
	maxLabel      = 500
	maxOptions    = 500
	maxConditions = 20
)

// Definition is one question of a company.
type Definition struct {
	Key      string // unique in the company without regard to case; an XML element and a part of file names
	Type     Type
	Label    string   // what the agent reads
	Options  []string // only for RADIO_STRING and DROPDOWN
	ReadOnly bool     // the agent sees a pre-defined answer and cannot change it

	// ShowIf names fields of the user (3.2.8) or keys of other questions, and the values of
	// which each must have one for the question to be shown. A name that is both is the
	// user's field. Empty: always shown.
	ShowIf map[string][]string
}

// key is what is safe as a JSON key, an XML element and a part of a file name.
var key = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// attachment matches the names that results give to files of their own (13.1.6), in lower
// case: a picture under a question's key must not take their place.
var attachment = regexp.MustCompile(`^(pdf|xml|json|sig|mp3|mp4|wav|idfrontside|idbackside|idholograms|userface|audiolog|videolog|` +
	`security[0-9]+|security_covered|liveness_?left|liveness_?right)$`)

// HasOptions says whether answers of this type are chosen from the question's own list.
func (t Type) HasOptions() bool { return t == RadioString || t == Dropdown }

// Check returns every mistake of the definition as a fault.List: the key is the place in the
// definition, spelled as in a company's file, the message what is expected there. Whether
// the names in ShowIf exist only the company can say.
func (d Definition) Check() error {
	var l fault.List
	wrong := func(at, expected string) { l = append(l, fault.New(fault.Invalid, "%s", expected).In(at)) }
	switch {
	case !key.MatchString(d.Key):
		wrong("key", "1 to 64 characters of a-z, A-Z, 0-9 and _, not beginning with a digit, are expected")
	case attachment.MatchString(strings.ToLower(d.Key)):
		wrong("key", "a key that is not the name of an attachment, such as pdf or userface, is expected")
	}
	if !slices.Contains(Types, d.Type) {
		wrong("type", "one of RADIO_BOOLEAN, RADIO_STRING, DROPDOWN, DROPDOWN_COUNTRIES, INPUT, NUMERIC, DATE, CUSTOM_IMAGE is expected")
	}
	if !text(d.Label, maxLabel) {
		wrong("label", "one line of 1 to 500 characters is expected")
	}
	d.checkOptions(wrong)
	if len(d.ShowIf) > maxConditions {
		wrong("show_if", "at most 20 names are expected")
	}
	for _, name := range slices.Sorted(maps.Keys(d.ShowIf)) {
		values := d.ShowIf[name]
		if len(values) == 0 || len(values) > maxOptions || slices.ContainsFunc(values, func(v string) bool { return !text(v, maxText) }) {
			wrong("show_if."+name, "a list of 1 to 500 values, each one line of 1 to 255 characters, is expected")
		}
	}
	return l.Err()
}

func (d Definition) checkOptions(wrong func(at, expected string)) {
	if !d.Type.HasOptions() {
		if len(d.Options) > 0 {
			wrong("options", "no options are expected: only RADIO_STRING and DROPDOWN have them")
		}
		return
	}
	if len(d.Options) == 0 || len(d.Options) > maxOptions {
		wrong("options", "a list of 1 to 500 options is expected")
		return
	}
	seen := make(map[string]bool, len(d.Options))
	for i, o := range d.Options {
		at := "options[" + strconv.Itoa(i) + "]"
		switch {
		case !text(o, maxText):
			wrong(at, "one line of 1 to 255 characters is expected")
		case seen[o]:
			wrong(at, "an option that does not stand in the list already is expected")
		}
		seen[o] = true
	}
}

// text says whether s is one line that is not blank and not longer than limit characters.
func text(s string, limit int) bool {
	return strings.TrimSpace(s) != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= limit && !strings.ContainsFunc(s, unicode.IsControl)
}

// Parse reads a pre-defined answer as it stands in the request's JSON: a string, a
// json.Number, or anything else, which is always wrong. The fault is fault.Value with the
// question's key. The empty string is not an answer: it gives the zero Value for every type
// but CUSTOM_IMAGE, which nobody can pre-define.
func (d Definition) Parse(raw any) (Value, error) {
	if d.Type == CustomImage {
		return Value{}, fault.Value(d.Key)
	}
	switch raw := raw.(type) {
	case string:
		if raw == "" || d.allows(raw) {
			return Text(raw), nil
		}
	case json.Number:
		if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil && d.allowsInteger(n) {
			return Integer(n), nil
		}
	}
	return Value{}, fault.Value(d.Key)
}

func (d Definition) allows(s string) bool {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxText {
		return false
	}
	switch d.Type {
	case RadioString, Dropdown:
		return slices.Contains(d.Options, s)
	case DropdownCountries:
		return iso.Country(s)
	case Input:
		// A line break is the user's; what ends up in XML must be something XML can hold.
		return !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' })
	case Date:
		_, err := time.Parse(time.DateOnly, s)
		return err == nil
	case RadioBoolean, Numeric, CustomImage:
		return false
	}
	return false
}

func (d Definition) allowsInteger(n int64) bool {
	return d.Type == Numeric || d.Type == RadioBoolean && (n == 0 || n == 1)
}

// Shown says whether the question is asked. has says whether a user's field or another
// question has that value at the moment; how the two are compared is its business.
func (d Definition) Shown(has func(name, value string) bool) bool {
	for name, values := range d.ShowIf {
		if !slices.ContainsFunc(values, func(v string) bool { return has(name, v) }) {
			return false
		}
	}
	return true
}
