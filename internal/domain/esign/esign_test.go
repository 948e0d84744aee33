package esign

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
)

func TestIdentifierIsWhatAnAddressCanHold(t *testing.T) {
	for _, s := range []string{"doc1", "document-abc", "a", "_", "-", "0", strings.Repeat("z", 64)} {
		if id, err := ParseIdentifier(s); err != nil || string(id) != s {
			t.Errorf("%q is read as %q, %v", s, id, err)
		}
	}
	for _, s := range []string{"", "Doc", "a b", "a.b", "ä", "a/b", strings.Repeat("z", 65), "a\n"} {
		_, err := ParseIdentifier(s)
		if all := fault.All(err); len(all) != 1 || all[0].Kind != fault.Invalid || all[0].Key != "identifier" {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// outcome is what a field makes of a value: ok, or the kind and the key of the fault.
func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	var parts []string
	for _, f := range fault.All(err) {
		parts = append(parts, f.Kind.String()+" "+f.Key)
	}
	return strings.Join(parts, ", ")
}

func TestFieldsOfADefinition(t *testing.T) {
	for _, c := range []struct {
		field string
		value any
		want  string
	}{
		{"name", "Arbeitsvertrag", "ok"},
		{"name", nil, "ok"},
		{"name", "", "ok"},
		{"name", json.Number("1"), "invalid name"},
		{"name", true, "invalid name"},
		{"name", "two\nlines", "invalid name"},
		{"name", " ", "invalid name"},
		{"name", strings.Repeat("ä", 255), "ok"},
		{"name", strings.Repeat("ä", 256), "invalid name"},
		{"version", "V1.2.3", "ok"},
		{"mimeType", "application/pdf", "ok"},
		{"mimeType", "text/plain; charset=utf-8", "ok"},
		{"mimeType", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "ok"},
		{"mimeType", "pdf", "invalid mimeType"},
		{"mimeType", "a/b\r\nX: y", "invalid mimeType"},
		{"optional", false, "ok"},
		{"optional", "false", "ok"},
		{"optional", "TRUE", "ok"},
		{"optional", "no", "invalid optional"},
		{"optional", json.Number("0"), "invalid optional"},
		{"sortOrder", json.Number("1"), "ok"},
		{"sortOrder", "1", "ok"},
		{"sortOrder", json.Number("0"), "invalid sortOrder"},
		{"sortOrder", json.Number("1.5"), "invalid sortOrder"},
		{"sortOrder", json.Number("1e9"), "ok"},
		{"sortOrder", json.Number("1e99"), "invalid sortOrder"},
		{"sortOrder", "0x10", "invalid sortOrder"},
		{"sortOrder", "Inf", "invalid sortOrder"},
		{"sortOrder", "one", "invalid sortOrder"},
		{"sortOrder", true, "invalid sortOrder"},
		{"viewPolicy", "SCROLL", "ok"},
		{"viewPolicy", "DEFAULT", "ok"},
		{"viewPolicy", "scroll", "invalid viewPolicy"},
		{"identifier", "doc1", "ok"},
		{"identifier", "Doc1", "invalid identifier"},
		{"hash", "x", "unknown field hash"},
	} {
		var change Change
		if got := outcome(change.Set(c.field, c.value)); got != c.want {
			t.Errorf("%s = %v: %s, want %s", c.field, c.value, got, c.want)
		}
	}
}

func set(t *testing.T, c *Change, field string, value any) {
	t.Helper()
	if err := c.Set(field, value); err != nil {
		t.Fatal(err)
	}
}

func TestNewDefinitionNeedsWhatIsMandatory(t *testing.T) {
	var c Change
	_, err := c.New()
	if got, want := outcome(err), "invalid identifier, invalid name, invalid mimeType"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestUpdateReplacesOnlyWhatIsSent(t *testing.T) {
	var c Change
	set(t, &c, "identifier", "doc1")
	set(t, &c, "name", "AGB")
	set(t, &c, "mimeType", "application/pdf")
	set(t, &c, "sortOrder", json.Number("2"))
	set(t, &c, "optional", "true")
	c.Signatures = &[]Signature{{Name: "a"}}
	d, err := c.New()
	if err != nil {
		t.Fatal(err)
	}
	var update Change
	set(t, &update, "name", "Terms")
	set(t, &update, "version", "")
	update.Signatures = &[]Signature{{Name: "b"}}
	got, err := update.Apply(d)
	if err != nil {
		t.Fatal(err)
	}
	want := Definition{Identifier: "doc1", Name: "Terms", MIMEType: "application/pdf", Optional: true, SortOrder: 2, Signatures: []Signature{{Name: "b"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var renamed Change
	set(t, &renamed, "identifier", "doc2")
	if _, err := renamed.Apply(d); outcome(err) != "invalid identifier" {
		t.Errorf("renaming: %v", err)
	}
}

func TestInsertMovesUpWhatIsInTheWay(t *testing.T) {
	three := []Order{{"a", 1}, {"b", 2}, {"c", 3}}
	sparse := []Order{{"a", 1}, {"b", 10}, {"c", 11}, {"d", 20}}
	for _, c := range []struct {
		name  string
		order []Order
		id    Identifier
		at    int64
		want  []Order
	}{
		{"first of all", nil, "x", 1, []Order{{"x", 1}}},
		{"none is the end", nil, "x", 0, []Order{{"x", 1}}},
		{"the end", three, "x", 0, []Order{{"x", 4}}},
		{"the beginning", three, "x", 1, []Order{{"x", 1}, {"a", 2}, {"b", 3}, {"c", 4}}},
		{"the middle", three, "x", 2, []Order{{"x", 2}, {"b", 3}, {"c", 4}}},
		{"beyond", three, "x", 9, []Order{{"x", 9}}},
		{"a gap", sparse, "x", 5, []Order{{"x", 5}}},
		{"up to the gap", sparse, "x", 10, []Order{{"x", 10}, {"b", 11}, {"c", 12}}},
		{"itself where it is", three, "b", 2, nil},
		{"itself down", three, "c", 1, []Order{{"c", 1}, {"a", 2}, {"b", 3}}},
		{"itself up", three, "a", 3, []Order{{"a", 3}, {"c", 4}}},
	} {
		if diff := cmp.Diff(c.want, Insert(c.order, c.id, c.at)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// sent describes a signature in a few words: fields with a dot before them are of the position.
func sent(r Rules, fields map[string]any) (Signature, string) {
	s, err := r.NewSent("mysignature1")
	if err != nil {
		return Signature{}, outcome(err)
	}
	var names []string
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if below, ok := strings.CutPrefix(name, "."); ok {
			err = s.SetPosition(below, fields[name])
		} else {
			err = s.Set(name, fields[name])
		}
		if err != nil {
			return Signature{}, outcome(err)
		}
	}
	out, err := s.Done()
	return out, outcome(err)
}

// place is a right position, with more or other fields.
func place(more map[string]any) map[string]any {
	all := map[string]any{".acrofield": "f", ".left": json.Number("50"), ".bottom": json.Number("50"), ".width": json.Number("200"), ".height": json.Number("35")}
	for k, v := range more {
		all[k] = v
	}
	return all
}

func TestSignatureHasItsDefaults(t *testing.T) {
	got, problem := sent(Rules{}, place(map[string]any{"optional": "false"}))
	want := Signature{Name: "mysignature1", Type: Electronic, FontSize: 8, Image: "idnow_seal", Position: Position{AcroField: "f", Left: 50, Bottom: 50, Width: 200, Height: 35}}
	if diff := cmp.Diff(want, got); problem != "ok" || diff != "" {
		t.Error(problem, diff)
	}
	swiss, _ := sent(Rules{Swiss: true}, place(nil))
	if swiss.FontSize2 != 8 {
		t.Errorf("the second line is %v high", swiss.FontSize2)
	}
}

func TestFieldsOfASignature(t *testing.T) {
	all := company.ESign{Handwritten: true, Seals: map[string]company.Image{"my_seal": {}}, Datacenter: company.CH}
	for _, c := range []struct {
		name   string
		rules  Rules
		fields map[string]any
		want   string
	}{
		{"as printed", Rules{}, place(map[string]any{"type": "ELECTRONIC", "signatureFontSize": json.Number("8"), "signatureImage": "idnow_seal"}), "ok"},
		{"page as text", RulesOf(all), map[string]any{".page": "1", ".left": json.Number("800"), ".width": "200", ".bottom": "100", ".height": "35", "type": "HANDWRITTEN", "optional": "false"}, "ok"},
		{"text", Rules{}, map[string]any{".textcontent": "Sign here", ".left": "-3.5", ".bottom": "-1e1", ".width": "200", ".height": "35"}, "ok"},
		{"no left and bottom", Rules{}, map[string]any{".textcontent": "Sign here", ".width": "200", ".height": "35"}, "ok"},
		{"two at once", Rules{}, place(map[string]any{".page": json.Number("1")}), "invalid position"},
		{"nothing", Rules{}, map[string]any{".width": "1", ".height": "1"}, "invalid position"},
		{"no position", Rules{}, nil, "invalid position, invalid width, invalid height"},
		{"off the page", Rules{}, map[string]any{".page": "1", ".left": "-1", ".bottom": "-1", ".width": "1", ".height": "1"}, "invalid left, invalid bottom"},
		{"no width", Rules{}, place(map[string]any{".width": json.Number("0")}), "invalid width"},
		{"negative height", Rules{}, place(map[string]any{".height": json.Number("-1")}), "invalid height"},
		{"too wide", Rules{}, place(map[string]any{".width": json.Number("14401")}), "invalid width"},
		{"page 0", Rules{}, place(map[string]any{".page": json.Number("0")}), "invalid page"},
		{"page 1.5", Rules{}, place(map[string]any{".page": "1.5"}), "invalid page"},
		{"unknown", Rules{}, place(map[string]any{".right": "1"}), "unknown field right"},
		{"unknown of the signature", Rules{}, place(map[string]any{"color": "red"}), "unknown field color"},
		{"other type", Rules{}, place(map[string]any{"type": "PRINTED"}), "invalid type"},
		{"handwritten without the feature", Rules{}, place(map[string]any{"type": "HANDWRITTEN"}), "forbidden type"},
		{"second line in DE", Rules{}, place(map[string]any{"signatureFontSize2": "8"}), "unknown field signatureFontSize2"},
		{"second line in CH", RulesOf(all), place(map[string]any{"signatureFontSize2": "8"}), "ok"},
		{"own seal", RulesOf(all), place(map[string]any{"signatureImage": "my_seal"}), "ok"},
		{"seal of nobody", RulesOf(all), place(map[string]any{"signatureImage": "your_seal"}), "invalid signatureImage"},
		{"font of no size", Rules{}, place(map[string]any{"signatureFontSize": "0"}), "invalid signatureFontSize"},
		{"endless font", Rules{}, place(map[string]any{"signatureFontSize": "NaN"}), "invalid signatureFontSize"},
	} {
		if _, got := sent(c.rules, c.fields); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	for _, name := range []string{"", " ", "a\tb", strings.Repeat("x", 65)} {
		if _, err := (Rules{}).NewSent(name); outcome(err) != "invalid signatures" {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

func TestOneSignatureADocumentInCH(t *testing.T) {
	if err := (Rules{Swiss: true}).CheckNumber(2); outcome(err) != "invalid signatures" {
		t.Error(err)
	}
	for _, c := range []struct {
		rules Rules
		n     int
	}{{Rules{Swiss: true}, 1}, {Rules{}, 2}, {Rules{}, 100}} {
		if err := c.rules.CheckNumber(c.n); err != nil {
			t.Error(c, err)
		}
	}
	if err := (Rules{}).CheckNumber(101); err == nil {
		t.Error("any number is allowed")
	}
}

func TestOwnSignatureTakesThePlaceOfTheDefinitions(t *testing.T) {
	of := func(image string, names ...string) (list []Signature) {
		for _, n := range names {
			list = append(list, Signature{Name: n, Image: image})
		}
		return list
	}
	got := Combine(of("definition", "a", "b", "c"), of("own", "d", "b"))
	want := []Signature{{Name: "a", Image: "definition"}, {Name: "b", Image: "own"}, {Name: "c", Image: "definition"}, {Name: "d", Image: "own"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMissingPlaceIsReportedUnderTheSignaturesName(t *testing.T) {
	signatures := []Signature{{Name: "a"}, {Name: "b"}, {Name: "c", Optional: true}, {Name: "d"}}
	found := []Spot{{Signature: "b"}, {Signature: "b"}}
	if got, want := outcome((Rules{}).CheckSpots(signatures, found)), "precondition a, precondition d"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := outcome((Rules{Swiss: true}).CheckSpots(signatures[1:2], found)), "precondition b"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if err := (Rules{}).CheckSpots(nil, nil); err != nil {
		t.Error(err)
	}
}

func TestDocumentBeginsAsItsDefinition(t *testing.T) {
	d := NewDocument(Definition{Identifier: "doc1", Name: "Contract", Version: "V1", Signatures: []Signature{{Name: "a"}}})
	if d.Name != "Contract" || d.Version != "V1" || d.Status() != NeedUpload || !d.Missing() || d.File.Display() != "" || d.File.Hex() != "" {
		t.Errorf("%+v", d)
	}
	d.File = File{Blob: "x", Hash: []byte{0x09, 0x4c, 0x33, 0x50, 0x4a, 0xb6, 0x2a}}
	if d.Status() != Uploaded || d.Missing() || d.File.Display() != "094c-3350-4ab6" {
		t.Errorf("%s %s", d.Status(), d.File.Display())
	}
	d.SignedFile = File{Blob: "y"}
	if d.Status() != Signed {
		t.Error(d.Status())
	}
	var c DocumentChange
	if !c.IsZero() {
		t.Error("it says something")
	}
	if err := c.Set("status", "SIGNED"); outcome(err) != "unknown field status" {
		t.Error(err)
	}
	if err := c.Set("name", "My Extended Contract"); err != nil {
		t.Fatal(err)
	}
	c.Signatures = &[]Signature{{Name: "b"}}
	e := c.Apply(d)
	if len(e.AllSignatures()) != 2 || e.Name != "My Extended Contract" || e.Definition.Name != "Contract" || e.Version != "V1" {
		t.Errorf("%+v", e)
	}
}

func TestOptionalDocumentIsNeverMissing(t *testing.T) {
	if NewDocument(Definition{Optional: true}).Missing() {
		t.Error("missing")
	}
}

func TestOnlyPDFIsSigned(t *testing.T) {
	for kind, want := range map[string]bool{"application/pdf": true, "Application/PDF": true, "application/pdf; version=1.7": true, "text/plain": false, "application/xword": false} {
		if IsPDF(kind) != want {
			t.Error(kind)
		}
	}
}
