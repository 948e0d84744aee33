package verify

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// role is what an object is for, where what it is for decides what may change in it.
type role int

const (
	other      role = iota // nothing may change
	catalog                // the document's root
	form                   // AcroForm
	formParts              // resources of the form
	fieldList              // an array of fields
	fieldRole              // a field, or a widget of one
	value                  // what was filled in
	appearance             // how what was filled in looks
	page
	annotList // an array of annotations
	annot     // an annotation that belongs to no field
	archive   // the document security store, and what is said about the document
)

// step is how an object was reached, for people.
type step struct {
	from *step
	by   string
}

func (s *step) String() string {
	var parts []string
	for ; s != nil; s = s.from {
		parts = append(parts, s.by)
	}
	slices.Reverse(parts)
	if len(parts) > 8 {
		parts = append(parts[:4], append([]string{"…"}, parts[len(parts)-3:]...)...)
	}
	return strings.Join(parts, "/")
}

// use is one way in which an object is used.
type use struct {
	role role
	path *step
}

// walker goes through a document and notes what each object is for.
type walker struct {
	before, after *document
	locks         []lock
	pages         map[int]int // object number: page, from 1
	fields        map[int]field
	uses          map[int][]use // of all that is reached
	seen          map[visit]bool
	queue         []queued
}

type visit struct {
	num  int
	role role
}

type queued struct {
	num int
	use
}

// walk goes through all that can be reached before.
func (w *walker) walk() error {
	w.reach(w.before.trailer["Root"], catalog, nil, "Root")
	w.reach(w.before.trailer["Info"], archive, nil, "Info")
	for len(w.queue) > 0 {
		q := w.queue[len(w.queue)-1]
		w.queue = w.queue[:len(w.queue)-1]
		v, err := w.before.get(ref{num: q.num})
		if errors.Is(err, errSyntax) {
			continue // both tells whether it still is
		}
		if err != nil {
			return err
		}
		if err := w.content(v, q.num, q.use, 0); err != nil {
			return err
		}
	}
	return nil
}

// reach notes one use of an object and has its content looked at.
func (w *walker) reach(v any, r role, from *step, by string) {
	to, ok := v.(ref)
	if !ok {
		return
	}
	root, _ := w.before.trailer["Root"].(ref)
	switch _, isPage := w.pages[to.num]; {
	case to.num == root.num: // whoever names these names them for what they are
		r = catalog
	case isPage:
		r = page
	case w.fields[to.num].dict != nil:
		r = fieldRole
	case r == page || r == fieldRole: // said to be one, and is none
		r = other
	}
	if at := (visit{to.num, r}); !w.seen[at] {
		w.seen[at] = true
		u := use{r, &step{from, by}}
		w.uses[to.num] = append(w.uses[to.num], u)
		w.queue = append(w.queue, queued{to.num, u})
	}
}

// moved says whether an object that cannot be read is another one later: it is not where it
// was.
func (w *walker) moved(num int) bool {
	was, is := w.before.entries[num], w.after.entries[num]
	return was != is || was.inStream != 0 && w.before.entries[was.inStream] != w.after.entries[was.inStream]
}

// content follows the references in a value.
func (w *walker) content(v any, num int, u use, depth int) error {
	if depth > maxDepth {
		return errMuch
	}
	if err := w.before.budget.token(); err != nil {
		return err
	}
	switch v := v.(type) {
	case ref:
		w.reach(v, u.role, u.path.from, u.path.by)
	case array:
		for i, one := range v {
			if err := w.content(one, num, use{inList(u.role), &step{u.path, strconv.Itoa(i)}}, depth+1); err != nil {
				return err
			}
		}
	case *stream:
		return w.content(v.dict, num, u, depth)
	case dict:
		for k, one := range v {
			if err := w.content(one, num, use{w.below(u.role, k, num), &step{u.path, string(k)}}, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// inList is the role of what stands in an array of a role.
func inList(r role) role {
	switch r {
	case fieldList:
		return fieldRole
	case annotList:
		return annot
	case archive, value, appearance:
		return r
	default:
		return other
	}
}

// below is the role of an entry of an object of a role.
func (w *walker) below(r role, key name, num int) role {
	switch r {
	case catalog:
		return map[name]role{"AcroForm": form, "DSS": archive, "Metadata": archive}[key]
	case form:
		return map[name]role{"Fields": fieldList, "DR": formParts}[key]
	case fieldRole:
		return w.belowField(key, num)
	case page:
		return map[name]role{"Annots": annotList}[key]
	case archive:
		return archive
	case appearance:
		// The states of a button are dictionaries of streams; what a stream needs is not free.
		if key != "Resources" && key != "Group" {
			return appearance
		}
	default:
	}
	return other
}

// locked says whether a field must not change.
func (w *walker) locked(field string) bool {
	return slices.ContainsFunc(w.locks, func(l lock) bool { return l.locks(field) })
}

func (w *walker) belowField(key name, num int) role {
	f := w.fields[num]
	if w.locked(f.name) {
		return map[name]role{"Kids": fieldList}[key]
	}
	_, signed := f.value.(ref)
	if f.kind == name("Sig") && (signed || f.value != nil) {
		return map[name]role{"Kids": fieldList}[key] // how a signature looks was signed with it
	}
	return map[name]role{"Kids": fieldList, "V": value, "AP": appearance}[key]
}

// pagesOf numbers the pages of a document.
func (d *document) pagesOf() (map[int]int, error) {
	root, err := d.dictOf(d.trailer["Root"])
	if err != nil {
		return nil, err
	}
	found, seen := map[int]int{}, map[int]bool{}
	list := []any{root["Pages"]}
	for len(list) > 0 {
		v := list[len(list)-1]
		list = list[:len(list)-1]
		r, _ := v.(ref)
		if seen[r.num] {
			continue
		}
		seen[r.num] = r.num != 0
		node, err := d.dictOf(v)
		if err != nil {
			return nil, err
		}
		kids, err := d.arrayOf(node["Kids"])
		if err != nil {
			return nil, err
		}
		if node != nil && node["Kids"] == nil && r.num != 0 {
			found[r.num] = len(found) + 1
		}
		for _, k := range slices.Backward(kids) {
			list = append(list, k)
		}
		if err := d.budget.token(); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// same compares two values, wherever they stand.
func same(a, b any, depth int) bool {
	if depth > maxDepth {
		return false
	}
	switch a := a.(type) {
	case *text:
		b, ok := b.(*text)
		return ok && a.s == b.s
	case array:
		b, ok := b.(array)
		return ok && slices.EqualFunc(a, b, func(x, y any) bool { return same(x, y, depth+1) })
	case dict:
		b, ok := b.(dict)
		return ok && len(differing(a, b, depth)) == 0
	case *stream:
		b, ok := b.(*stream)
		if !ok || !bytes.Equal(a.raw, b.raw) {
			return false
		}
		keys := differing(a.dict, b.dict, depth)
		return len(keys) == 0 || len(keys) == 1 && keys[0] == "Length"
	}
	switch b.(type) {
	case array, dict, *stream, *text:
		return false
	}
	return a == b
}

// differing are the keys whose values are not the same.
func differing(a, b dict, depth int) (keys []name) {
	for k, v := range a {
		if w, ok := b[k]; !ok && v != nil || ok && !same(v, w, depth+1) {
			keys = append(keys, k)
		}
	}
	for k, v := range b {
		if _, ok := a[k]; !ok && v != nil {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

func pageName(n int) string { return fmt.Sprintf("page %d", n) }
