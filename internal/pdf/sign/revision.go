package sign

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"vidimus/internal/domain/fault"
	"vidimus/internal/pdf/file"
)

// Where byte range and contents stand in the text of a signature's dictionary, which begins
// with them.
const (
	signatureHead = "<</ByteRange "
	contentsKey   = "/Contents"
)

const (
	byteRangeAt = len(signatureHead)
	contentsAt  = byteRangeAt + byteRangeRoom + len(contentsKey)
)

// Flags of annotations (12.5.3) and of forms (12.7.2).
const (
	printed        = 1 << 2
	locked         = 1 << 7
	signaturesOnly = 1 | 2 // signatures exist, append only
)

// revision is the update that holds a signature.
type revision struct {
	*file.Update
	f         *file.File
	catalog   file.Dict
	form      file.Dict
	fields    file.Array
	extra     map[int]file.Array // annotations that pages get, by the number of the page
	signature file.Ref
}

func newRevision(f *file.File) *revision {
	r := &revision{Update: f.Update(), f: f, catalog: f.Catalog().Clone(), extra: map[int]file.Array{}}
	r.form = f.Dict(r.catalog["AcroForm"]).Clone()
	r.fields = slices.Clone(f.Array(r.form["Fields"]))
	return r
}

// finish writes what the objects that were added refer from: pages, form, catalog.
func (u *revision) finish() {
	for number, list := range u.extra {
		page, err := u.f.Page(number)
		if err != nil {
			continue // place has looked it up before
		}
		all := append(slices.Clone(u.f.Array(page.Dict["Annots"])), list...)
		if ref, ok := page.Dict["Annots"].(file.Ref); ok && u.f.Array(ref) != nil {
			u.Put(ref, all)
			continue
		}
		d := page.Dict.Clone()
		d["Annots"] = all
		u.Put(page.Ref, d)
	}
	u.form["SigFlags"] = file.Int(signaturesOnly)
	if ref, ok := u.form["Fields"].(file.Ref); ok && u.f.Array(ref) != nil {
		u.Put(ref, u.fields)
	} else {
		u.form["Fields"] = u.fields
	}
	if ref, ok := u.catalog["AcroForm"].(file.Ref); ok && u.f.Dict(ref) != nil {
		u.Put(ref, u.form)
	} else {
		u.catalog["AcroForm"] = u.form
	}
	u.putCatalog()
}

func (u *revision) putCatalog() {
	if ref, ok := u.f.Trailer["Root"].(file.Ref); ok { // Open refuses others
		u.Put(ref, u.catalog)
	}
}

// extend notes a developer's extension (7.12): the security store is one of ETSI's.
func (u *revision) extend() {
	all := u.f.Dict(u.catalog["Extensions"]).Clone()
	if all["ESIC"] == nil {
		all["ESIC"] = file.Dict{"BaseVersion": file.Name("1.7"), "ExtensionLevel": file.Int(1)}
	}
	u.catalog["Extensions"] = all
}

// addValidation adds to the document security store (ISO 32000-2, 12.8.4.3); what others have
// put there stays.
func (u *revision) addValidation(v Validation) {
	store := u.f.Dict(u.catalog["DSS"]).Clone()
	store["Type"] = file.Name("DSS")
	for _, part := range []struct {
		key  file.Name
		list [][]byte
	}{{"Certs", v.Certificates}, {"OCSPs", v.OCSPs}, {"CRLs", v.CRLs}} {
		all := slices.Clone(u.f.Array(store[part.key]))
		for _, der := range part.list {
			all = append(all, u.Add(fmt.Sprintf("/Length %d", len(der)), der))
		}
		if len(all) > 0 {
			store[part.key] = all
		}
	}
	ref := u.New()
	u.Put(ref, store)
	u.catalog["DSS"] = ref
	u.extend()
}

// addSignature adds the dictionary of the signature, its field, and what shows it.
func (u *revision) addSignature(r Request, room int) error {
	d := file.Dict{
		"Type": file.Name("Sig"), "Filter": file.Name("Adobe.PPKLite"), "SubFilter": file.Name("ETSI.CAdES.detached"), "M": date(r.Time),
	}
	for key, text := range map[file.Name]string{"Name": r.Name, "Reason": r.Reason, "Location": r.Location} {
		if text != "" {
			d[key] = file.Text(text)
		}
	}
	if r.Tool != "" {
		d["Prop_Build"] = file.Dict{"App": file.Dict{"Name": file.Name(r.Tool)}}
	}
	if len(r.Places) > 0 && r.Places[0].Field != "" {
		if reference := u.lock(r.Places[0].Field); reference != nil {
			d["Reference"] = reference
		}
	}
	u.putSignature(d, room)
	if len(r.Places) == 0 {
		return u.addInvisible("Signature")
	}
	first, appearances := r.Places[0], map[string]file.Ref{}
	look := func(p Place) file.Ref {
		key := fmt.Sprintf("%d %p", p.Rotate, p.Appearance)
		ref, known := appearances[key]
		if !known && p.Appearance != nil {
			ref = file.Ref{Num: p.Appearance.Add(p.Rotate, func(dictionary string, stream []byte) int { return u.Add(dictionary, stream).Num })}
			appearances[key] = ref
		}
		return ref
	}
	var err error
	if first.Field != "" {
		err = u.fillField(first, look(first))
	} else {
		err = u.addField(first, look(first))
	}
	for _, p := range r.Places[1:] {
		if err == nil {
			err = u.addStamp(p, look(p))
		}
	}
	return err
}

// addDocumentTimestamp adds the dictionary and the field of a time-stamp over the document.
func (u *revision) addDocumentTimestamp(room int) error {
	u.putSignature(file.Dict{"Type": file.Name("DocTimeStamp"), "Filter": file.Name("Adobe.PPKLite"), "SubFilter": file.Name("ETSI.RFC3161")}, room)
	u.extend()
	return u.addInvisible("Timestamp")
}

// putSignature writes a signature's dictionary with room for its byte range and a message of
// so many bytes.
func (u *revision) putSignature(d file.Dict, room int) {
	text := []byte(signatureHead + strings.Repeat(" ", byteRangeRoom) + contentsKey + "<" + strings.Repeat("0", 2*room) + ">")
	text = append(text, file.Append(nil, d)[len("<<"):]...)
	u.signature = u.New()
	u.PutText(u.signature, text)
}

// date writes a time as PDF has it (7.9.4), in UTC. Behind the Z stands nothing: pyHanko refuses
// the file over an offset there.
func date(t time.Time) file.String {
	return file.String("D:" + t.UTC().Format("20060102150405") + "Z")
}

// freeName returns a name for a field that no other field has.
func (u *revision) freeName(prefix string) (string, error) {
	all, err := u.f.Fields()
	if err != nil {
		return "", file.Damaged("%v", err)
	}
	taken := map[string]bool{}
	for _, f := range all {
		first, _, _ := strings.Cut(f.Name, ".")
		taken[first] = true
	}
	for n := 1; ; n++ {
		if name := fmt.Sprintf("%s%d", prefix, n); !taken[name] {
			return name, nil
		}
	}
}

// addInvisible adds a field without a place, on the first page.
func (u *revision) addInvisible(prefix string) error {
	name, err := u.freeName(prefix)
	if err != nil {
		return err
	}
	page, err := u.f.Page(1)
	if err != nil {
		return file.Damaged("%v", err)
	}
	field := u.New()
	zero := file.Int(0)
	u.Put(field, file.Dict{
		"Type": file.Name("Annot"), "Subtype": file.Name("Widget"), "FT": file.Name("Sig"), "T": file.Text(name), "V": u.signature, "P": page.Ref,
		"Rect": file.Array{zero, zero, zero, zero}, "F": file.Int(printed | locked),
	})
	u.fields = append(u.fields, field)
	u.extra[1] = append(u.extra[1], field)
	return nil
}

// widget is an annotation that shows the signature at a place.
func (u *revision) widget(p Place, look file.Ref) (file.Dict, error) {
	page, err := u.f.Page(p.Page)
	if err != nil {
		return nil, fault.New(fault.Precondition, "The document has no page %d", p.Page).In(p.Signature)
	}
	d := file.Dict{
		"Type": file.Name("Annot"), "P": page.Ref, "F": file.Int(printed | locked),
		"Rect": file.Array{file.Real(p.X), file.Real(p.Y), file.Real(p.X + p.W), file.Real(p.Y + p.H)},
	}
	if look.Num > 0 {
		d["AP"] = file.Dict{"N": look}
	}
	return d, nil
}

// addField adds the signature's field at a place.
func (u *revision) addField(p Place, look file.Ref) error {
	name, err := u.freeName("Signature")
	if err != nil {
		return err
	}
	d, err := u.widget(p, look)
	if err != nil {
		return err
	}
	d["Subtype"], d["FT"], d["T"], d["V"] = file.Name("Widget"), file.Name("Sig"), file.Text(name), u.signature
	field := u.New()
	u.Put(field, d)
	u.fields = append(u.fields, field)
	u.extra[p.Page] = append(u.extra[p.Page], field)
	return nil
}

// addStamp shows the signature at a further place.
func (u *revision) addStamp(p Place, look file.Ref) error {
	d, err := u.widget(p, look)
	if err != nil {
		return err
	}
	d["Subtype"], d["Name"], d["F"] = file.Name("Stamp"), file.Name("Approved"), file.Int(printed|locked|1<<6|1<<9) // read only, contents locked
	stamp := u.New()
	u.Put(stamp, d)
	u.extra[p.Page] = append(u.extra[p.Page], stamp)
	return nil
}

// fillField signs an empty field that the file has.
func (u *revision) fillField(p Place, look file.Ref) error {
	all, err := u.f.Fields()
	if err != nil {
		return file.Damaged("%v", err)
	}
	i := slices.IndexFunc(all, func(f file.Field) bool { return f.Name == p.Field })
	switch {
	case i < 0 || all[i].Type != "Sig" || all[i].Num == 0:
		return fault.New(fault.Precondition, "The document has no signature field of that name").In(p.Signature)
	case all[i].Value != nil:
		return fault.New(fault.Precondition, "The signature field is signed already").In(p.Signature)
	}
	field := all[i]
	d := field.Dict.Clone()
	d["V"] = u.signature
	if len(field.Widgets) != 1 || field.Widgets[0] == field.Ref {
		u.show(d, p, look)
		u.Put(field.Ref, d)
		return nil
	}
	u.Put(field.Ref, d)
	w := u.f.Dict(field.Widgets[0]).Clone()
	u.show(w, p, look)
	u.Put(field.Widgets[0], w)
	return nil
}

// show has a widget that there was show the signature. Its rectangle is touched only where
// the place is another.
func (u *revision) show(widget file.Dict, p Place, look file.Ref) {
	widget["F"] = file.Int(printed | locked)
	if look.Num == 0 {
		return
	}
	widget["AP"] = file.Dict{"N": look}
	was := u.f.Array(widget["Rect"])
	for i, v := range []float64{p.X, p.Y, p.X + p.W, p.Y + p.H} {
		if len(was) == 4 {
			if old, ok := u.f.Number(was[i]); ok && math.Abs(old-v) < 0.01 {
				continue
			}
		}
		widget["Rect"] = file.Array{file.Real(p.X), file.Real(p.Y), file.Real(p.X + p.W), file.Real(p.Y + p.H)}
		return
	}
}

// lock is what a field that is to be filled demands of its signature (12.7.4.5): which
// fields are not to be changed any more. nil: nothing.
func (u *revision) lock(field string) file.Object {
	all, err := u.f.Fields()
	if err != nil {
		return nil
	}
	i := slices.IndexFunc(all, func(f file.Field) bool { return f.Name == field })
	if i < 0 {
		return nil
	}
	demand := u.f.Dict(all[i].Dict["Lock"])
	if demand == nil {
		return nil
	}
	parameters := file.Dict{"Type": file.Name("TransformParams"), "V": file.Name("1.2")}
	for _, key := range []file.Name{"Action", "Fields"} {
		if v := u.f.Get(demand[key]); v != nil {
			parameters[key] = v
		}
	}
	return file.Array{file.Dict{"Type": file.Name("SigRef"), "TransformMethod": file.Name("FieldMDP"), "TransformParams": parameters, "Data": u.f.Trailer["Root"]}}
}
