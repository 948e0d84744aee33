package question

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/fault"
)

func TestParseTakesWhatTheTypeTakes(t *testing.T) {
	long := strings.Repeat("ä", 255)
	options := []string{"salary", "savings", "1"}
	for _, c := range []struct {
		kind Type
		raw  any
		want Value
	}{
		{RadioBoolean, json.Number("0"), Integer(0)},
		{RadioBoolean, json.Number("1"), Integer(1)},
		{RadioString, "salary", Text("salary")},
		{RadioString, "1", Text("1")},
		{Dropdown, "savings", Text("savings")},
		{DropdownCountries, "DE", Text("DE")},
		{DropdownCountries, "ZW", Text("ZW")},
		{Input, "any text, ß and 漢字", Text("any text, ß and 漢字")},
		{Input, "two\nlines", Text("two\nlines")},
		{Input, long, Text(long)},
		{Numeric, json.Number("0"), Integer(0)},
		{Numeric, json.Number("-12"), Integer(-12)},
		{Numeric, json.Number("9223372036854775807"), Integer(9223372036854775807)},
		{Date, "1975-12-20", Text("1975-12-20")},
		{Date, "2024-02-29", Text("2024-02-29")},
		{Date, "2999-01-01", Text("2999-01-01")},
		{RadioBoolean, "", Value{}},
		{Dropdown, "", Value{}},
		{DropdownCountries, "", Value{}},
		{Numeric, "", Value{}},
		{Date, "", Value{}},
	} {
		got, err := Definition{Key: "k", Type: c.kind, Options: options}.Parse(c.raw)
		if err != nil || got != c.want {
			t.Errorf("%s %v: %v, %v, want %v", c.kind, c.raw, got, err, c.want)
		}
	}
}

func TestParseRefusesWhatTheTypeDoesNotTake(t *testing.T) {
	shapes := []any{nil, true, false, map[string]any{}, []any{}, 1, 1.5, int64(1)}
	numbers := []any{json.Number("1.0"), json.Number("1e2"), json.Number("0.5"), json.Number("9223372036854775808"), json.Number("")}
	for kind, raws := range map[Type][]any{
		RadioBoolean:      {"0", "1", "true", json.Number("2"), json.Number("-1")},
		RadioString:       {"Salary", "salary ", "other", json.Number("1")},
		Dropdown:          {"Salary", "other", json.Number("1")},
		DropdownCountries: {"de", "DEU", "ZZ", "Germany", json.Number("1")},
		Input:             {json.Number("1"), strings.Repeat("ä", 256), "\x00", "a\x1bb", "\xff"},
		Numeric:           {"1", "one"},
		Date:              {"1975-02-29", "1975-13-01", "1975-1-2", "20.12.1975", "1975-12-20T00:00:00Z", "0000-00-00", json.Number("19751220")},
		CustomImage:       {"", "x", json.Number("0"), json.Number("1")},
		Type("UNKNOWN"):   {"x", json.Number("1")},
	} {
		raws = append(raws, shapes...)
		if raws = append(raws, numbers...); kind == "" {
			t.Fatal("a case without type")
		}
		for _, raw := range raws {
			v, err := Definition{Key: "my_key", Type: kind, Options: []string{"salary", "savings"}}.Parse(raw)
			var f *fault.Error
			if !errors.As(err, &f) {
				t.Errorf("%s %#v: %v is taken", kind, raw, v)
				continue
			}
			if f.Kind != fault.Invalid || f.Key != "my_key" || f.Message != "Please provide a correct value for 'my_key'" || !v.IsZero() {
				t.Errorf("%s %#v: %v, %v", kind, raw, v, err)
			}
		}
	}
}

func TestCheckNamesEveryMistake(t *testing.T) {
	long := strings.Repeat("x", 256)
	for name, c := range map[string]struct {
		d    Definition
		want []string
	}{
		"right":             {Definition{Key: "question_key_int", Type: RadioBoolean, Label: "Are you a US citizen?"}, nil},
		"right with list":   {Definition{Key: "_a1", Type: Dropdown, Label: "?", Options: []string{"a", "b"}, ShowIf: map[string][]string{"country": {"DE"}}}, nil},
		"nothing":           {Definition{}, []string{"key", "type", "label"}},
		"key with hyphen":   {Definition{Key: "a-b", Type: Input, Label: "?"}, []string{"key"}},
		"key with digit":    {Definition{Key: "1a", Type: Input, Label: "?"}, []string{"key"}},
		"key too long":      {Definition{Key: strings.Repeat("k", 65), Type: Input, Label: "?"}, []string{"key"}},
		"key with newline":  {Definition{Key: "a\n", Type: Input, Label: "?"}, []string{"key"}},
		"lower case type":   {Definition{Key: "a", Type: "input", Label: "?"}, []string{"type"}},
		"blank label":       {Definition{Key: "a", Type: Input, Label: "  "}, []string{"label"}},
		"label with CRLF":   {Definition{Key: "a", Type: Input, Label: "a\r\nb"}, []string{"label"}},
		"label too long":    {Definition{Key: "a", Type: Input, Label: strings.Repeat("x", 501)}, []string{"label"}},
		"needless options":  {Definition{Key: "a", Type: Input, Label: "?", Options: []string{"a"}}, []string{"options"}},
		"country options":   {Definition{Key: "a", Type: DropdownCountries, Label: "?", Options: []string{"DE"}}, []string{"options"}},
		"no options":        {Definition{Key: "a", Type: RadioString, Label: "?"}, []string{"options"}},
		"too many options":  {Definition{Key: "a", Type: RadioString, Label: "?", Options: make([]string, 501)}, []string{"options"}},
		"bad options":       {Definition{Key: "a", Type: Dropdown, Label: "?", Options: []string{"a", "", "a", long}}, []string{"options[1]", "options[2]", "options[3]"}},
		"condition empty":   {Definition{Key: "a", Type: Input, Label: "?", ShowIf: map[string][]string{"city": nil, "country": {""}}}, []string{"show_if.city", "show_if.country"}},
		"several at a time": {Definition{Key: "pdf", Type: "X", Label: ""}, []string{"key", "type", "label"}},
	} {
		var got []string
		for _, f := range fault.All(c.d.Check()) {
			if f.Kind != fault.Invalid || !strings.HasSuffix(f.Message, "expected") && !strings.Contains(f.Message, "expected:") {
				t.Errorf("%s: %v", name, f)
			}
			got = append(got, f.Key)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestKeyOfAnAttachmentIsRefused(t *testing.T) {
	for _, k := range []string{"pdf", "PDF", "xml", "idfrontside", "idBackside", "idholograms", "userface", "audiolog", "videolog",
		"security1", "security12", "security_covered", "livenessleft", "liveness_right"} {
		if (Definition{Key: k, Type: Input, Label: "?"}).Check() == nil {
			t.Errorf("%s is taken", k)
		}
	}
	for _, k := range []string{"pdf2", "security", "security_1", "face"} {
		if err := (Definition{Key: k, Type: Input, Label: "?"}).Check(); err != nil {
			t.Errorf("%s: %v", k, err)
		}
	}
}

func TestShownNeedsEveryCondition(t *testing.T) {
	d := Definition{ShowIf: map[string][]string{"country": {"DE", "AT"}, "other": {"1"}}}
	for _, c := range []struct {
		country, other string
		want           bool
	}{{"DE", "1", true}, {"AT", "1", true}, {"FR", "1", false}, {"DE", "0", false}, {"", "", false}} {
		got := d.Shown(func(name, value string) bool {
			return map[string]string{"country": c.country, "other": c.other}[name] == value
		})
		if got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if !(Definition{}).Shown(func(_, _ string) bool { return false }) {
		t.Error("a question without conditions is hidden")
	}
}

func TestDefinitionSurvivesJSON(t *testing.T) {
	want := Definition{Key: "k", Type: Dropdown, Label: "?", Options: []string{"a"}, ReadOnly: true, ShowIf: map[string][]string{"city": {"Köln"}}}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Definition
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestValueSurvivesJSON(t *testing.T) {
	for want, text := range map[Value]string{Text("a\"b"): `"a\"b"`, Text(""): `""`, Integer(0): `0`, Integer(-5): `-5`} {
		b, err := json.Marshal(want)
		if err != nil || string(b) != text {
			t.Errorf("%v: %s, %v", want, b, err)
		}
		var got Value
		if err := json.Unmarshal(b, &got); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"1.5", "true", "{}", "[]"} {
		var v Value
		if json.Unmarshal([]byte(text), &v) == nil {
			t.Errorf("%s is taken for an answer", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("DATE", "1975-12-20", false)
	f.Add("NUMERIC", "-0", true)
	f.Add("RADIO_BOOLEAN", "1", true)
	f.Fuzz(func(t *testing.T, kind, raw string, number bool) {
		var in any = raw
		if number {
			in = json.Number(raw)
		}
		v, err := Definition{Key: "k", Type: Type(kind), Options: []string{"a"}}.Parse(in)
		if err != nil {
			return
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var back Value
		if err := json.Unmarshal(b, &back); err != nil || back != v {
			t.Fatalf("%s comes back as %v: %v", b, back, err)
		}
	})
}
