package file

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of the trees.
const (
	maxPages  = 50_000
	maxFields = 50_000
	maxLevels = 64
	maxName   = 4096 // bytes of a field's full name
)

// Page is a page with what it inherits.
type Page struct {
	Ref
	Dict   Dict // as it stands in the file
	Rotate int  // 0, 90, 180 or 270
}

// Pages returns how many pages there are. A tree that cannot be followed is an error.
func (f *File) Pages() (int, error) {
	w := pageWalk{file: f, left: maxPages + 1, seen: map[int]bool{}}
	if err := w.visit(f.Catalog()["Pages"], 0, 0); err != nil {
		return 0, err
	}
	return maxPages + 1 - w.left, nil
}

// Page returns the page with that number, from 1 on. A number that there is not is an error,
// as is a tree of pages that cannot be followed.
func (f *File) Page(number int) (Page, error) {
	w := pageWalk{file: f, left: number, seen: map[int]bool{}}
	err := w.visit(f.Catalog()["Pages"], 0, 0)
	switch {
	case err != nil:
		return Page{}, err
	case w.found == nil && number == 1:
		return Page{}, errors.New("it has no pages")
	case w.found == nil:
		return Page{}, fmt.Errorf("it has no page %d", number)
	}
	return *w.found, nil
}

type pageWalk struct {
	file    *File
	left    int // pages up to the one that is looked for
	visited int
	seen    map[int]bool
	found   *Page
}

func (w *pageWalk) visit(o Object, level, rotate int) error {
	ref, ok := o.(Ref)
	if !ok || w.found != nil {
		return nil
	}
	if w.visited++; level > maxLevels || w.visited > maxPages {
		return errors.New("its tree of pages is too large")
	}
	if w.seen[ref.Num] {
		return errors.New("its tree of pages goes in a circle")
	}
	w.seen[ref.Num] = true
	d := w.file.Dict(ref)
	if d == nil {
		return nil
	}
	if n, ok := w.file.Number(d["Rotate"]); ok {
		rotate = ((int(n)%360 + 360) % 360) / 90 * 90
	}
	if kids := w.file.Array(d["Kids"]); d["Type"] != Name("Page") && kids != nil {
		for _, kid := range kids {
			if err := w.visit(kid, level+1, rotate); err != nil {
				return err
			}
		}
		return nil
	}
	if w.left--; w.left == 0 {
		w.found = &Page{Ref: ref, Dict: d, Rotate: rotate}
	}
	return nil
}

// Field is a form field (12.7.3) that has a name of its own.
type Field struct {
	Ref            // zero: it stands in its parent directly, and cannot be changed
	Name    string // the full one, with dots
	Type    Name   // Btn, Tx, Ch or Sig; empty: unknown
	Value   Object // nil: none
	Dict    Dict   // as it stands in the file
	Widgets []Ref  // its own object where field and widget are one
}

// Fields returns the fields of the form in their order.
func (f *File) Fields() ([]Field, error) {
	w := fieldWalk{file: f, seen: map[int]bool{}}
	for _, o := range f.Array(f.Dict(f.Catalog()["AcroForm"])["Fields"]) {
		if err := w.visit(o, 0, "", "", nil); err != nil {
			return nil, err
		}
	}
	return w.all, nil
}

type fieldWalk struct {
	file    *File
	visited int
	seen    map[int]bool
	all     []Field
}

func (w *fieldWalk) visit(o Object, level int, prefix string, kind Name, value Object) error {
	ref, _ := o.(Ref)
	d := w.file.Dict(o)
	if d == nil {
		return nil
	}
	if w.visited++; level > maxLevels || w.visited > maxFields || ref.Num > 0 && w.seen[ref.Num] {
		return errors.New("its form cannot be followed")
	}
	if ref.Num > 0 {
		w.seen[ref.Num] = true
	}
	if n := w.file.Name(d["FT"]); n != "" {
		kind = n
	}
	if v := w.file.Get(d["V"]); v != nil {
		value = v
	}
	name := prefix
	if t, ok := w.file.Get(d["T"]).(String); ok {
		if len(prefix)+len(t) > maxName {
			return errors.New("its form has names that are too long")
		}
		name = strings.TrimPrefix(prefix+"."+t.Text(), ".")
	}
	field := Field{Ref: ref, Name: name, Type: kind, Value: value, Dict: d}
	for _, kid := range w.file.Array(d["Kids"]) {
		k := w.file.Dict(kid)
		if k["T"] != nil {
			if err := w.visit(kid, level+1, name, kind, value); err != nil {
				return err
			}
			field.Ref, field.Name = Ref{}, "" // a node, not a field
			continue
		}
		if r, ok := kid.(Ref); ok && k != nil && len(field.Widgets) < maxFields {
			field.Widgets = append(field.Widgets, r)
		}
	}
	if field.Name == "" {
		return nil
	}
	if len(field.Widgets) == 0 && ref.Num > 0 && d["Rect"] != nil {
		field.Widgets = []Ref{ref}
	}
	w.all = append(w.all, field)
	return nil
}

// Text reads a text string: UTF-16 or UTF-8 with their marks, else Latin 1, which differs
// from PDFDocEncoding in a few characters only.
func (s String) Text() string {
	switch {
	case len(s) >= 2 && s[0] == 0xFE && s[1] == 0xFF:
		units := make([]uint16, 0, len(s)/2)
		for i := 2; i+1 < len(s); i += 2 {
			units = append(units, uint16(s[i])<<8|uint16(s[i+1]))
		}
		return string(utf16.Decode(units))
	case len(s) >= 3 && s[0] == 0xEF && s[1] == 0xBB && s[2] == 0xBF && utf8.Valid(s):
		return string(s[3:])
	}
	runes := make([]rune, len(s))
	for i, c := range s {
		runes[i] = rune(c)
	}
	return string(runes)
}
