package verify

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
	"unicode/utf16"
)

const (
	maxFields     = 20_000
	maxSignatures = 128
)

// field is a field of the form, with what it inherits.
type field struct {
	name   string
	object ref // zero: it stands in its parent's list itself
	dict   dict
	kind   any // FT
	value  any // V, not resolved
	kids   []ref
}

// fields returns the fields of a document that have no fields below them, and everything on
// the way to them.
func (d *document) fields() ([]field, error) {
	root, err := d.dictOf(d.trailer["Root"])
	if err != nil {
		return nil, err
	}
	form, err := d.dictOf(root["AcroForm"])
	if err != nil {
		return nil, err
	}
	list, err := d.arrayOf(form["Fields"])
	if err != nil {
		return nil, err
	}
	w := fieldWalk{d: d, seen: map[ref]bool{}}
	for _, v := range list {
		if err := w.walk(v, field{}, 0); err != nil {
			return nil, err
		}
	}
	return w.found, nil
}

type fieldWalk struct {
	d     *document
	seen  map[ref]bool
	found []field
}

func (w *fieldWalk) walk(v any, parent field, depth int) error {
	r, _ := v.(ref)
	if r.num != 0 && w.seen[r] {
		return nil // a circle, or a field that is named twice
	}
	w.seen[r] = true
	if len(w.found) == maxFields || depth > maxDepth {
		return errMuch
	}
	own, err := w.d.dictOf(v)
	if err != nil || own == nil {
		return err
	}
	f := field{name: parent.name, object: r, dict: own, kind: parent.kind, value: parent.value}
	if t, ok := own["T"]; ok {
		if t, err = w.d.resolve(t); err != nil {
			return err
		}
		part, _ := t.(*text)
		if f.name != "" {
			f.name += "."
		}
		f.name += readable(part)
	}
	for key, into := range map[name]*any{"FT": &f.kind, "V": &f.value} {
		if own, ok := own[key]; ok {
			*into = own
		}
	}
	kids, err := w.d.arrayOf(own["Kids"])
	if err != nil {
		return err
	}
	at := len(w.found)
	w.found = append(w.found, f)
	for _, kid := range kids {
		if r, ok := kid.(ref); ok {
			w.found[at].kids = append(w.found[at].kids, r)
		}
		if err := w.walk(kid, f, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// readable is a text string in UTF-8.
func readable(t *text) string {
	switch {
	case t == nil:
		return ""
	case len(t.s) >= 2 && t.s[:2] == "\xfe\xff":
		var units []uint16
		for i := 2; i+1 < len(t.s); i += 2 {
			units = append(units, uint16(t.s[i])<<8|uint16(t.s[i+1]))
		}
		return string(utf16.Decode(units))
	case len(t.s) >= 3 && t.s[:3] == "\xef\xbb\xbf":
		return string(bytes.ToValidUTF8([]byte(t.s[3:]), []byte("\uFFFD")))
	}
	runes := make([]rune, len(t.s)) // PDFDocEncoding is Latin-1 where names use it
	for i := range len(t.s) {
		runes[i] = rune(t.s[i])
	}
	return string(runes)
}

// parseDate reads D:YYYYMMDDHHmmSSOHH'mm'; zero when it is none.
func parseDate(s string) time.Time {
	digits := bytes.NewBufferString(s)
	if len(s) >= 2 && s[:2] == "D:" {
		digits.Next(2)
	}
	b := bytes.ReplaceAll(digits.Bytes(), []byte("'"), nil)
	for _, layout := range []string{"20060102150405Z0700", "20060102150405-0700", "20060102150405Z0000", "20060102150405Z", "20060102150405", "200601021504", "20060102"} {
		if t, err := time.Parse(layout, string(b)); err == nil {
			return t
		}
	}
	return time.Time{}
}

// signed is a signature dictionary and the part of the file that it is over.
type signed struct {
	field    field
	dict     dict
	object   ref
	contents []byte
	from, to int // of the gap, which holds the contents and nothing else
	end      int // behind the last byte that is signed
	strange  error
}

// signatures returns the filled signature fields.
func (d *document) signatures(fields []field) ([]signed, error) {
	var all []signed
	seen := map[ref]bool{}
	for _, f := range fields {
		kind, err := d.resolve(f.kind)
		if err != nil {
			return nil, err
		}
		if kind != name("Sig") || f.value == nil {
			continue
		}
		r, _ := f.value.(ref)
		if r.num != 0 && seen[r] {
			continue // a kid of the field, or two fields for one signature
		}
		seen[r] = true
		found, err := d.dictOf(f.value)
		if err != nil {
			return nil, err
		}
		if found == nil {
			continue
		}
		if len(all) == maxSignatures {
			return nil, errMuch
		}
		s := signed{field: f, dict: found, object: r}
		s.strange = s.ranges(d)
		all = append(all, s)
	}
	return all, nil
}

// ranges reads ByteRange and Contents, and checks that they say the one thing that they may
// say: all is signed from the first byte on, but for the signature itself.
func (s *signed) ranges(d *document) error {
	if s.dict[twice] != nil {
		return errors.New("a key of its dictionary stands there twice")
	}
	contents, err := d.resolve(s.dict["Contents"])
	if err != nil {
		return err
	}
	t, ok := contents.(*text)
	if !ok {
		return errors.New("it has no contents")
	}
	s.contents = []byte(t.s)
	list, err := d.arrayOf(s.dict["ByteRange"])
	if err != nil {
		return err
	}
	if _, direct := s.dict["ByteRange"].(ref); direct {
		return errors.New("its byte range stands elsewhere")
	}
	var n [4]int
	for i := range list {
		v, ok := list[i].(int)
		if len(list) != 4 || !ok {
			return errors.New("its byte range is not two ranges")
		}
		n[i] = v
	}
	if len(list) != 4 || n[0] != 0 || n[1] <= 0 || n[2] <= n[1] || n[3] <= 0 || n[2] > len(d.data) || n[3] > len(d.data)-n[2] {
		return fmt.Errorf("its byte range %v is not from the first byte on, in order and within the file", n)
	}
	s.from, s.to, s.end = n[1], n[2], n[2]+n[3]
	gap := d.data[s.from:s.to]
	if t.inStream || !t.hex || t.at != s.from || t.end != s.to {
		return fmt.Errorf("bytes %d to %d are not signed, and are not its contents alone", s.from, s.to)
	}
	if inside, err := hex.DecodeString(string(gap[1 : len(gap)-1])); err != nil || !bytes.Equal(inside, s.contents) {
		return fmt.Errorf("bytes %d to %d are not signed, and hold more than its contents", s.from, s.to)
	}
	return nil
}

// within says whether the signature's own dictionary is signed by it.
func (s *signed) within(d *document) bool {
	e, ok := d.entries[s.object.num]
	if s.object.num == 0 { // it stands in the field
		if e, ok = d.entries[s.field.object.num]; !ok {
			return false
		}
	}
	return ok && e.inStream == 0 && e.at+d.shift < s.from
}
