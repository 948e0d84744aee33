// Package esign decides what is signed and where: document definitions, the documents that
// are made of them, the signatures on a document and their places, and what overrides what.
// Specification, chapter 7.
package esign

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"vidimus/internal/domain/fault"
)

// MaxFile is the most bytes that a document may have.
const MaxFile = 64 << 20

// MaxDefinitions is the most definitions that a company may have: each identification gets
// an instance of every one.
const MaxDefinitions = 100

// maxText is the longest name and version, in characters.
const maxText = 255

// Identifier names a definition in addresses, and its instance in each identification.
type Identifier string

var identifier = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

// ParseIdentifier accepts a-z 0-9 - and _, 1 to 64 of them; else fault.Invalid with the key
// identifier.
func ParseIdentifier(s string) (Identifier, error) {
	if !identifier.MatchString(s) {
		return "", fault.Value("identifier")
	}
	return Identifier(s), nil
}

// ViewPolicy is how the user's pages show a document. Empty is Default.
type ViewPolicy string

// The view policies (7.1.1).
const (
	Scroll  ViewPolicy = "SCROLL"  // the whole document, as long as it is
	Default ViewPolicy = "DEFAULT" // a window of a fixed height
)

// Definition says which document is required of users, and where it is signed.
type Definition struct {
	Identifier Identifier
	Name       string
	MIMEType   string
	Version    string // the version of its documents; empty: none
	Optional   bool
	SortOrder  int64 // the place in the order; no two of a company have the same
	ViewPolicy ViewPolicy
	Signatures []Signature // each name once, in the order in which they were sent
}

// Change is what a request says of a definition; nil is not sent. A zero Change says
// nothing.
type Change struct {
	Identifier *Identifier
	Name       *string
	MIMEType   *string
	Version    *string
	Optional   *bool
	SortOrder  *int64
	ViewPolicy *ViewPolicy
	Signatures *[]Signature
}

// mimeType is RFC 6838, 4.2, with parameters.
var mimeType = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}( ?; ?[A-Za-z0-9-]{1,30}=[A-Za-z0-9_.-]{1,50}){0,5}$`)

// Set takes one field of a request; value is a string, a json.Number, a bool or nil. Numbers
// and booleans may be sent as strings. nil and the empty string say nothing. fault.Invalid
// for a wrong value, fault.UnknownField for a field that is none, or that is no scalar.
func (c *Change) Set(field string, value any) error {
	switch field {
	case "identifier":
		return read(field, value, &c.Identifier, func(s string) (Identifier, bool) { id, err := ParseIdentifier(s); return id, err == nil })
	case "name":
		return read(field, value, &c.Name, line)
	case "version":
		return read(field, value, &c.Version, line)
	case "mimeType":
		return read(field, value, &c.MIMEType, func(s string) (string, bool) { return s, mimeType.MatchString(s) })
	case "viewPolicy":
		return read(field, value, &c.ViewPolicy, func(s string) (ViewPolicy, bool) {
			return ViewPolicy(s), ViewPolicy(s) == Scroll || ViewPolicy(s) == Default
		})
	case "optional":
		return boolean(field, value, &c.Optional)
	case "sortOrder":
		return integer(field, value, &c.SortOrder, 1, maxSortOrder)
	}
	return fault.Of(fault.UnknownField).In(field)
}

// maxSortOrder leaves room for those that move up.
const maxSortOrder = 1<<31 - 1

// line takes text of one line.
func line(s string) (string, bool) {
	return s, strings.TrimSpace(s) != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxText && !strings.ContainsFunc(s, unprintable)
}

// unprintable says whether a character has no place in a line of text.
func unprintable(r rune) bool { return unicode.IsControl(r) || r == 0xFFFE || r == 0xFFFF }

// New returns the definition that a request creates; every mandatory field that is missing
// is a fault.Invalid of its own. Without a sort order it is 0: see Insert.
func (c Change) New() (Definition, error) {
	var missing fault.List
	if c.Identifier == nil {
		missing = append(missing, fault.Value("identifier"))
	}
	if c.Name == nil {
		missing = append(missing, fault.Value("name"))
	}
	if c.MIMEType == nil {
		missing = append(missing, fault.Value("mimeType"))
	}
	if err := missing.Err(); err != nil {
		return Definition{}, err
	}
	d := Definition{Identifier: *c.Identifier}
	return c.Apply(d)
}

// Apply returns d with what was sent in the place of what there was; the signatures are
// replaced as a whole. The identifier cannot be changed, for it is the address: another one
// is fault.Invalid.
func (c Change) Apply(d Definition) (Definition, error) {
	if c.Identifier != nil && *c.Identifier != d.Identifier {
		return d, fault.Value("identifier")
	}
	replace(&d.Name, c.Name)
	replace(&d.MIMEType, c.MIMEType)
	replace(&d.Version, c.Version)
	replace(&d.Optional, c.Optional)
	replace(&d.SortOrder, c.SortOrder)
	replace(&d.ViewPolicy, c.ViewPolicy)
	replace(&d.Signatures, c.Signatures)
	return d, nil
}

func replace[T any](old, sent *T) {
	if sent != nil {
		*old = *sent
	}
}

// IsPDF says whether documents of this MIME type are signed; others are stored, shown and
// handed back.
func IsPDF(mimeType string) bool {
	kind, _, _ := strings.Cut(mimeType, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/pdf")
}

// Order is where a definition stands among those of its company.
type Order struct {
	Identifier Identifier
	At         int64
}

// Insert puts id before position at of the order, and returns those whose position changes,
// itself among them. Later ones move up as far as they are in the way: numbers that nobody
// needs stay as the company chose them. A position of 0 is the end. id itself may stand in
// the order already.
func Insert(order []Order, id Identifier, at int64) (changed []Order) {
	taken := map[int64]Identifier{}
	was := int64(0)
	last := int64(0)
	for _, o := range order {
		if o.Identifier == id {
			was = o.At
			continue
		}
		taken[o.At] = o.Identifier
		last = max(last, o.At)
	}
	if at == 0 {
		at = last + 1
	}
	for moving := id; moving != ""; at++ {
		next := taken[at]
		if moving != id || at != was {
			changed = append(changed, Order{moving, at})
		}
		moving = next
	}
	return changed
}

// Sort sorts by position.
func Sort(list []Definition) {
	slices.SortFunc(list, func(a, b Definition) int {
		if a.SortOrder != b.SortOrder {
			return int(max(-1, min(1, a.SortOrder-b.SortOrder)))
		}
		return strings.Compare(string(a.Identifier), string(b.Identifier))
	})
}
