package verify

import (
	"fmt"
	"strings"
	"testing"

	"vidimus/internal/domain/proof"
)

func TestLockedFields(t *testing.T) {
	const reference = "/Reference [<< /TransformMethod /FieldMDP /TransformParams << /Action /%s >> >>]"
	fill := func(p *pdf) { p.revise(map[int]string{objText: p.replaced(objText, "(100)", "(1000000)")}) }
	for name, c := range map[string]struct {
		entries string // of the signature
		lock    string // of its field
		change  func(w *world, p *pdf)
		verdict proof.Verdict
	}{
		"all":                    {fmt.Sprintf(reference, "All"), "", nil, proof.Invalid},
		"this one":               {fmt.Sprintf(reference, "Include /Fields [(amount)]"), "", nil, proof.Invalid},
		"another one":            {fmt.Sprintf(reference, "Include /Fields [(amo)]"), "", nil, proof.Valid},
		"all but this one":       {fmt.Sprintf(reference, "Exclude /Fields [(amount)]"), "", nil, proof.Valid},
		"all but another one":    {fmt.Sprintf(reference, "Exclude /Fields [(other)]"), "", nil, proof.Invalid},
		"nobody knows":           {fmt.Sprintf(reference, "Most"), "", nil, proof.Invalid},
		"by the field":           {"", "/Lock << /Action /Include /Fields [(amount)] >>", nil, proof.Invalid},
		"by the field, other":    {"", "/Lock << /Action /Include /Fields [(other)] >>", nil, proof.Valid},
		"by the field, P":        {"", "/Lock << /Action /Include /Fields [(other)] /P 1 >>", nil, proof.Invalid},
		"by the field, P 2":      {"", "/Lock << /Action /Include /Fields [(other)] /P 2 >>", nil, proof.Valid},
		"its appearance":         {fmt.Sprintf(reference, "All"), "", func(_ *world, p *pdf) { p.revise(map[int]string{8: content("1 g")}) }, proof.Invalid},
		"appearance of no other": {fmt.Sprintf(reference, "Include /Fields [(other)]"), "", func(_ *world, p *pdf) { p.revise(map[int]string{8: content("1 g")}) }, proof.Valid},
		"a new signature": {fmt.Sprintf(reference, "All"), "", func(w *world, p *pdf) {
			p.sign(w, signing{by: w.signer, field: "next"})
		}, proof.Valid},
		"a new time-stamp": {fmt.Sprintf(reference, "All"), "", func(w *world, p *pdf) {
			p.sign(w, signing{by: w.tsa, field: "next", token: true, stamped: noon})
		}, proof.Valid},
	} {
		t.Run(strings.ReplaceAll(strings.ReplaceAll(name, " ", "_"), ",", ""), func(t *testing.T) {
			w := newWorld(t)
			p := newPDF(t)
			p.revise(map[int]string{objText: p.replaced(objText, "/T (amount)", "/T (amount) /AP << /N 8 0 R >>"), 8: content("0 g")})
			p.sign(w, signing{by: w.signer, field: "s", entries: c.entries, widget: c.lock})
			w.wants(w.judged(p.data), "", proof.Valid)
			if c.change == nil {
				fill(p)
			} else {
				c.change(w, p)
			}
			if s := w.judged(p.data).Signatures[0]; s.Verdict != c.verdict {
				t.Errorf("%s, want %s: %+v", s.Verdict, c.verdict, s.Changes)
			}
		})
	}
}
