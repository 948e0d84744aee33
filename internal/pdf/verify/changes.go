package verify

import (
	"bytes"
	"fmt"
	"slices"

	"vidimus/internal/domain/proof"
)

const maxChanges = 50 // told of one signature

// comparison names what is different in a document since one of its revisions.
type comparison struct {
	walker
	later   map[int]field // of the document as it is now
	found   []proof.Change
	told    map[string]bool
	skipped int
}

// compare returns what changed since, by what the objects that differ are for. An object that
// is used in two ways has to be allowed to change in both. Fields that are locked must not
// change at all.
func compare(before, after *document, locks []lock) ([]proof.Change, error) {
	c := comparison{told: map[string]bool{}}
	c.before, c.after, c.locks, c.uses, c.seen = before, after, locks, map[int][]use{}, map[visit]bool{}
	var err error
	if c.pages, err = before.pagesOf(); err != nil {
		return nil, err
	}
	if c.fields, err = before.fieldsByNumber(); err != nil {
		return nil, err
	}
	if c.later, err = after.fieldsByNumber(); err != nil {
		return nil, err
	}
	c.trailers()
	if err := c.walk(); err != nil {
		return nil, err
	}
	for num := range sorted(c.uses) {
		was, is, err := c.both(num)
		if err != nil {
			return nil, err
		}
		if same(was, is, 0) {
			continue
		}
		for _, u := range c.uses[num] {
			if err := c.object(u, num, was, is); err != nil {
				return nil, err
			}
		}
	}
	if c.skipped > 0 {
		c.found = append(c.found, proof.Change{Difference: proof.Other, What: fmt.Sprintf("and %d more", c.skipped)})
	}
	return c.found, nil
}

// unreadable stands for an object that cannot be read as it was signed; it is the same as
// nothing, but for what was unreadable and cannot have become anything else.
type unreadable struct{ when string }

// both reads an object as it was and as it is. What was read only in part, as the signed part
// of the file ends before, differs whatever it is now: readers do not agree on what it was.
func (c *comparison) both(num int) (was, is any, err error) {
	was, before := c.before.get(ref{num: num})
	if fatal(before) {
		return nil, nil, before
	}
	is, after := c.after.get(ref{num: num})
	if fatal(after) {
		return nil, nil, after
	}
	open, err := c.before.open(num, before)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case open, before != nil && (after == nil || c.moved(num)):
		was = unreadable{"before"}
	case before != nil:
		return nil, nil, nil
	}
	if after != nil {
		is = unreadable{"now"}
	}
	return was, is, nil
}

func (d *document) fieldsByNumber() (map[int]field, error) {
	list, err := d.fields()
	if err != nil {
		return nil, err
	}
	all := map[int]field{}
	for _, f := range list {
		if f.kind, err = d.resolve(f.kind); err != nil {
			return nil, err
		}
		if f.object.num != 0 {
			all[f.object.num] = f
		}
	}
	return all, nil
}

func sorted(uses map[int][]use) func(func(int) bool) {
	nums := make([]int, 0, len(uses))
	for n := range uses {
		nums = append(nums, n)
	}
	slices.Sort(nums)
	return func(yield func(int) bool) {
		for _, n := range nums {
			if !yield(n) {
				return
			}
		}
	}
}

// tell notes a change once.
func (c *comparison) tell(d proof.Difference, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	switch {
	case c.told[string(d)+what]:
	case len(c.found) == maxChanges:
		c.skipped++
	default:
		c.told[string(d)+what] = true
		c.found = append(c.found, proof.Change{Difference: d, What: what})
	}
}

func (c *comparison) trailers() {
	was, is := c.before.trailer, c.after.trailer
	if was["Root"] != is["Root"] {
		c.tell(proof.Other, "the document has another root")
	}
	if was["Encrypt"] != is["Encrypt"] {
		c.tell(proof.Other, "the document is encrypted otherwise")
	}
	if !same(was["Info"], is["Info"], 0) {
		c.tell(proof.Archive, "the document information was changed")
	}
}

// object judges what differs in one object by one use of it.
func (c *comparison) object(u use, num int, was, is any) error {
	before, _ := was.(dict)
	after, _ := is.(dict)
	switch u.role {
	case archive:
		c.tell(proof.Archive, "validation data or metadata: %s", u.path)
		return nil
	case value, appearance, formParts:
		c.tell(proof.Form, "what was filled in: %s", u.path)
		return nil
	case annot:
		c.tell(proof.Annotations, "an annotation was changed: %s", u.path)
		return nil
	case fieldList:
		return c.fieldLists(was, is)
	case annotList:
		return c.annotLists(was, is, u.path.String())
	case other:
	case catalog, form, fieldRole, page:
		if before == nil || after == nil {
			break
		}
		for _, key := range differing(before, after, 0) {
			if err := c.entry(u, num, key, before, after); err != nil {
				return err
			}
		}
		return nil
	}
	c.tell(proof.Other, "object %d: %s", num, u.path)
	return nil
}

// entry judges one entry of a dictionary that differs.
func (c *comparison) entry(u use, num int, key name, before, after dict) error {
	switch u.role {
	case catalog:
		switch key {
		case "DSS", "Extensions", "Version", "Metadata":
			c.tell(proof.Archive, "validation data or metadata: Root/%s", key)
			return nil
		case "AcroForm":
			return c.forms(before[key], after[key])
		default:
		}
	case form:
		return c.formEntry(key, before, after)
	case fieldRole:
		return c.fieldEntry(num, key, before, after)
	case page:
		if key == "Annots" {
			return c.annotLists(before[key], after[key], pageName(c.pages[num]))
		}
		c.tell(proof.Other, "%s: %s", pageName(c.pages[num]), key)
		return nil
	default: // the others are judged whole
	}
	c.tell(proof.Other, "%s/%s", u.path, key)
	return nil
}

func (c *comparison) forms(was, is any) error {
	before, err := c.before.dictOf(was)
	if err != nil {
		return err
	}
	after, err := c.after.dictOf(is)
	if err != nil {
		return err
	}
	for _, key := range differing(before, after, 0) {
		if err := c.formEntry(key, before, after); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) formEntry(key name, before, after dict) error {
	switch key {
	case "Fields":
		return c.fieldLists(before[key], after[key])
	case "SigFlags":
		c.tell(proof.Archive, "the form says that there are signatures")
	case "NeedAppearances", "DR", "DA":
		c.tell(proof.Form, "the form's %s", key)
	default:
		c.tell(proof.Other, "the form's %s", key)
	}
	return nil
}

// added returns what stands in a list now and did not before; ok is false when something
// that stood there is gone or stands elsewhere.
func (c *comparison) added(was, is any) (list array, ok bool, err error) {
	before, err := c.before.arrayOf(was)
	if err != nil {
		return nil, false, err
	}
	after, err := c.after.arrayOf(is)
	if err != nil {
		return nil, false, err
	}
	for _, v := range after {
		if len(before) > 0 && same(before[0], v, 0) {
			before = before[1:]
			continue
		}
		list = append(list, v)
	}
	return list, len(before) == 0, nil
}

func (c *comparison) fieldLists(was, is any) error {
	list, ok, err := c.added(was, is)
	if err != nil {
		return err
	}
	if !ok {
		c.tell(proof.Other, "a form field was removed")
	}
	for _, v := range list {
		r, _ := v.(ref)
		f, known := c.later[r.num]
		_, old := c.before.entries[r.num]
		switch {
		case !known:
			c.tell(proof.Other, "something was added to the form")
		case f.kind != name("Sig"):
			c.tell(proof.Other, "the form field %q was added", f.name)
		case old && !c.before.entries[r.num].free:
			c.tell(proof.Other, "the signature field %q was made of something that was there", f.name)
		default:
			if err := c.signature(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// signature tells of a field that was added, or filled.
func (c *comparison) signature(f field) error {
	s, err := c.after.dictOf(f.value)
	if err != nil {
		return err
	}
	kind, err := c.after.resolve(s["SubFilter"])
	if err != nil {
		return err
	}
	visible, err := c.after.visible(f.dict)
	switch {
	case err != nil:
		return err
	case s == nil && visible:
		c.tell(proof.Other, "the signature field %q was added, which shows something that nobody signed", f.name)
	case s == nil:
		c.tell(proof.Signing, "the signature field %q was added", f.name)
	case kind == name(rfc3161):
		c.tell(proof.Archive, "document time-stamp %q", f.name)
	default:
		c.tell(proof.Signing, "signature %q", f.name)
	}
	return nil
}

// visible says whether a widget shows anything: it has a place, and an appearance or what
// readers make one of.
func (d *document) visible(widget dict) (bool, error) {
	if widget["AP"] == nil && widget["MK"] == nil {
		return false, nil
	}
	place, err := d.arrayOf(widget["Rect"])
	if err != nil || len(place) != 4 {
		return false, err
	}
	var at [4]any
	for i := range at {
		if at[i], err = d.resolve(place[i]); err != nil {
			return false, err
		}
	}
	return at[0] != at[2] && at[1] != at[3], nil
}

func (c *comparison) fieldEntry(num int, key name, before, after dict) error {
	f, now := c.fields[num], c.later[num]
	if key == "Kids" {
		return c.fieldLists(before[key], after[key])
	}
	if c.locked(f.name) {
		c.tell(proof.Other, "the form field %q, which was locked: %s", f.name, key)
		return nil
	}
	if f.kind == name("Sig") {
		filled := f.value == nil && now.value != nil
		switch {
		case key == "V" && filled:
			return c.signature(now)
		case filled && slices.Contains([]name{"AP", "M", "F", "MK", "DA"}, key):
			return nil // told with its value
		}
		c.tell(proof.Other, "the signature field %q: %s", f.name, key)
		return nil
	}
	if slices.Contains([]name{"V", "AP", "AS", "M", "I", "RV", "DA", "MK"}, key) {
		c.tell(proof.Form, "the form field %q was filled or changed", f.name)
		return nil
	}
	c.tell(proof.Other, "the form field %q: %s", f.name, key)
	return nil
}

// annotLists judges the annotations of a page: the widgets of new signatures may be added.
func (c *comparison) annotLists(was, is any, where string) error {
	list, ok, err := c.added(was, is)
	if err != nil {
		return err
	}
	if !ok {
		c.tell(proof.Other, "%s: an annotation was removed", where)
	}
	for _, v := range list {
		r, _ := v.(ref)
		f, known := c.later[r.num]
		_, old := c.before.entries[r.num]
		a, err := c.after.dictOf(v)
		if err != nil {
			return err
		}
		switch {
		case known && f.kind == name("Sig") && (!old || c.before.entries[r.num].free):
			if err := c.signature(f); err != nil {
				return err
			}
		default:
			c.tell(proof.Annotations, "%s: an annotation was added: %v", where, a["Subtype"])
		}
	}
	return nil
}

// trailing are bytes behind the last revision, but for ends of lines.
func trailing(data []byte) int { return len(bytes.Trim(data, "\r\n \t\x00")) }
