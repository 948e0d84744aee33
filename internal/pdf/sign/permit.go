package sign

import (
	"strings"

	"vidimus/internal/domain/fault"
	"vidimus/internal/pdf/file"
)

// permitted refuses what those who signed or certified the file before do not allow, and what
// would have validators doubt their signatures.
func permitted(f *file.File, r Request) error {
	if err := certified(f, r); err != nil {
		return err
	}
	fields, err := f.Fields()
	if err != nil {
		return file.Damaged("%v", err)
	}
	for _, field := range fields {
		if field.Type == "Sig" && field.Value != nil {
			if err := after(f, field, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// after refuses what a signature that is there already does not allow. Only one place: a
// further one is a stamp, which pyHanko takes for a change that the earlier signer did not
// foresee.
func after(f *file.File, signed file.Field, r Request) error {
	if p, ok := f.Number(f.Dict(signed.Dict["Lock"])["P"]); ok && p == 1 {
		return fault.New(fault.Invalid, "The PDF is signed and locked against all changes: it cannot be signed again")
	}
	if len(r.Places) > 1 {
		return fault.New(fault.Precondition, "The PDF is signed already: a further signature can stand at one place only").In(r.Places[1].Signature)
	}
	if len(r.Places) == 0 || r.Places[0].Field == "" {
		return nil
	}
	for _, o := range f.Array(f.Dict(signed.Value)["Reference"]) {
		d := f.Dict(o)
		if f.Name(d["TransformMethod"]) == "FieldMDP" && locks(f, f.Dict(d["TransformParams"]), r.Places[0].Field) {
			return fault.New(fault.Precondition, "An earlier signature locks the signature field").In(r.Places[0].Signature)
		}
	}
	return nil
}

// locks says whether the parameters of a FieldMDP (12.8.2.4) lock a field. A name stands for
// all fields below it too.
func locks(f *file.File, parameters file.Dict, field string) bool {
	named := false
	for _, o := range f.Array(parameters["Fields"]) {
		text, ok := f.Get(o).(file.String)
		if !ok {
			continue
		}
		name := text.Text()
		named = named || name == field || strings.HasPrefix(field, name+".")
	}
	switch f.Name(parameters["Action"]) {
	case "All":
		return true
	case "Include":
		return named
	case "Exclude":
		return !named
	default:
		return false
	}
}

// certified refuses what a certification (12.8.4) does not allow.
func certified(f *file.File, r Request) error {
	certification := f.Dict(f.Dict(f.Catalog()["Perms"])["DocMDP"])
	if certification == nil {
		return nil
	}
	for _, o := range f.Array(certification["Reference"]) {
		d := f.Dict(o)
		if f.Name(d["TransformMethod"]) != "DocMDP" {
			continue
		}
		p, ok := f.Number(f.Dict(d["TransformParams"])["P"])
		if ok && p == 1 {
			return fault.New(fault.Invalid, "The PDF is certified and allows no changes: it cannot be signed")
		}
		if (!ok || p == 2) && len(r.Places) > 1 {
			return fault.New(fault.Invalid, "The PDF is certified and allows no further places of a signature")
		}
	}
	return nil
}
