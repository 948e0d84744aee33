package verify

import (
	"slices"
	"strings"

	"vidimus/internal/domain/proof"
)

// lock names the fields that must not change after a signature (ISO 32000-2, 12.7.5.5 and
// 12.8.2.4).
type lock struct {
	action any // All, Include or Exclude
	names  []string
}

// locks says whether the lock is on a field: the one that it names, or one below it. What is
// none of the three actions locks everything.
func (l lock) locks(field string) bool {
	named := slices.ContainsFunc(l.names, func(n string) bool { return field == n || strings.HasPrefix(field, n+".") })
	switch l.action {
	case name("Include"):
		return named
	case name("Exclude"):
		return !named
	default:
		return true
	}
}

// certifies reads what a signature permits later: as a certification (ISO 32000-2, 12.8.2.2),
// by the fields that it locks, and by what its field says that it locks.
func (j *judge) certifies(r *record) error {
	list, err := j.doc.arrayOf(r.dict["Reference"])
	if err != nil {
		return err
	}
	for _, v := range list {
		one, err := j.doc.dictOf(v)
		if err != nil {
			return err
		}
		method, err := j.doc.resolve(one["TransformMethod"])
		if err != nil {
			return err
		}
		params, err := j.doc.dictOf(one["TransformParams"])
		if err != nil {
			return err
		}
		switch method {
		case name("DocMDP"):
			permits, err := j.permits(params)
			if err != nil {
				return err
			}
			if r.out.Kind, r.out.Permits = proof.Certification, 2; permits != 0 {
				r.out.Permits = permits
			}
		case name("FieldMDP"):
			if err := j.lock(r, params); err != nil {
				return err
			}
		default: // usage rights, which are about what readers offer
		}
	}
	return j.lockOfField(r)
}

// permits is the entry P of a dictionary; 0 when it has none that is known.
func (j *judge) permits(d dict) (int, error) {
	v, err := j.doc.resolve(d["P"])
	if p, ok := v.(int); ok && p >= 1 && p <= 3 {
		return p, err
	}
	return 0, err
}

// lock notes a dictionary that names fields.
func (j *judge) lock(r *record, d dict) error {
	action, err := j.doc.resolve(d["Action"])
	if err != nil {
		return err
	}
	list, err := j.doc.arrayOf(d["Fields"])
	if err != nil {
		return err
	}
	l := lock{action: action}
	for _, v := range list {
		if v, err = j.doc.resolve(v); err != nil {
			return err
		}
		if t, ok := v.(*text); ok {
			l.names = append(l.names, readable(t))
		}
	}
	r.locks = append(r.locks, l)
	return nil
}

// lockOfField reads the lock that the signature's field has: it holds once it is signed.
func (j *judge) lockOfField(r *record) error {
	d, err := j.doc.dictOf(r.field.dict["Lock"])
	if err != nil || d == nil {
		return err
	}
	permits, err := j.permits(d)
	if err != nil {
		return err
	}
	if permits != 0 && (r.out.Permits == 0 || permits < r.out.Permits) {
		r.out.Permits = permits
	}
	return j.lock(r, d)
}
