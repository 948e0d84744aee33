package person

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/question"
)

var today = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// printed is the request of 3.2.11.
var printed = map[string]string{
	"birthday": "1975-12-20", "birthplace": "München", "city": "München", "country": "DE", "custom1": "287492_23552",
	"email": "sampleuser@example.com", "firstname": "Michael", "lastname": "Berger", "mobilephone": "0151 23411232",
	"nationality": "DE", "street": "Bahnstrasse", "streetnumber": "27", "zipcode": "80127", "gender": "MALE",
	"preferredLang": "en", "title": "Dr.", "birthname": "Meier", "trackingid": "T-1", "custom5": "five",
}

func filled(t *testing.T) Application {
	t.Helper()
	var a Application
	for name, value := range printed {
		if err := a.Set(name, value, today); err != nil {
			t.Fatalf("Set(%q, %q): %v", name, value, err)
		}
	}
	return a
}

func TestWhatIsSetComesBackAsItWasSent(t *testing.T) {
	a := filled(t)
	for name, value := range printed {
		if got := a.Get(name); got != value {
			t.Errorf("Get(%q) = %q, want %q", name, got, value)
		}
	}
	if a.Email == "" || a.MobilePhone != "0151 23411232" || a.Custom[4] != "five" || a.Userdata[Zipcode] != "80127" {
		t.Errorf("kept in the wrong place: %+v", a)
	}
}

func TestEveryNameCanBeSet(t *testing.T) {
	if len(Names) != 22 {
		t.Errorf("%d names, the table has 22 without questions", len(Names))
	}
	for _, name := range Names {
		value := printed[name]
		if value == "" {
			value = "x"
		}
		var a Application
		if err := a.Set(name, value, today); err != nil || a.Get(name) != value {
			t.Errorf("%s: %v, Get gives %q", name, err, a.Get(name))
		}
	}
}

func TestEmptyStringIsNotGiven(t *testing.T) {
	a := filled(t)
	for _, name := range Names {
		if err := a.Set(name, "", today); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if diff := cmp.Diff(filled(t), a); diff != "" {
		t.Errorf("empty values changed something:\n%s", diff)
	}
}

func TestUnknownNamesAreRefused(t *testing.T) {
	for _, name := range []string{"", "Firstname", "preferredlang", "custom6", "custom0", "questions", "address", "number", "type"} {
		var a Application
		err := a.Set(name, "x", today)
		if !fault.Is(err, fault.UnknownField) || fault.All(err)[0].Key != name {
			t.Errorf("Set(%q): %v, want an unknown field with that key", name, err)
		}
	}
}

func TestIllFormedValuesAreRefused(t *testing.T) {
	long := strings.Repeat("ä", 256)
	for name, values := range map[string][]string{
		"birthday":      {"1975-02-29", "1975-13-01", "20.12.1975", "1975-1-2", "2026-11-24", "0000-01-01", "1975-12-20T00:00:00Z", " 1975-12-20"},
		"country":       {"XX", "DEU", "de", "Germany", "D"},
		"nationality":   {"XX", "german"},
		"gender":        {"male", "M", "DIVERSE"},
		"preferredLang": {"xx", "deu", "de-DE"},
		"email":         {"plain", "@example.com", "a@", "a@b", "a b@example.com", "a@exa mple.com", "a@example..com", "a@-example.com", ".a@example.com", "a@b@example.com", "A <a@example.com>", "a@example.com,b@example.com"},
		"mobilephone":   {"abc", "123", "+", "0049", "+49 151 234112321234567", "0151-CALL", "++49151234567", "+0151234567"},
		"firstname":     {long, "a\x00b", "a\nb", "a\u0085b", "\xff", "a\uFFFEb"},
		"custom3":       {long, "\x1b"},
		"trackingid":    {long},
	} {
		for _, value := range values {
			var a Application
			err := a.Set(name, value, today)
			want := fmt.Sprintf("Please provide a correct value for '%s'", name)
			if !fault.Is(err, fault.Invalid) || fault.All(err)[0].Key != name || fault.All(err)[0].Message != want {
				t.Errorf("Set(%q, %q): %v, want invalid", name, value, err)
			}
			if a.Get(name) != "" {
				t.Errorf("Set(%q, %q) kept the value", name, value)
			}
		}
	}
}

func TestBoundsOfValuesAreTaken(t *testing.T) {
	for name, values := range map[string][]string{
		"birthday":    {"2026-11-23", "1976-02-29", "1899-12-31"},
		"firstname":   {strings.Repeat("ä", 255), "X-AUTOTEST-HAPPYPATH", "O'Neil <&>", "名前"},
		"email":       {"a@b.de", "first.last+tag@sub.example.co.uk", "ü@bücher.example", "dev@localhost", "o'neil@example.com"},
		"mobilephone": {"0151 23411232", "+49176102030123", "0049 151/234-11232", "+491761234", "(0151) 23411232", "+49 (0)151 23411232", "+41.79.1234567"},
	} {
		for _, value := range values {
			var a Application
			if err := a.Set(name, value, today); err != nil || a.Get(name) != value {
				t.Errorf("Set(%q, %q): %v", name, value, err)
			}
		}
	}
}

func TestMergeReplacesOnlyWhatWasSent(t *testing.T) {
	before := filled(t)
	before.Questions = map[string]question.Value{"a": question.Integer(1), "b": question.Text("x")}
	var sent Application
	for name, value := range map[string]string{"firstname": "Mike", "email": "m@example.com", "custom2": "two"} {
		if err := sent.Set(name, value, today); err != nil {
			t.Fatal(err)
		}
	}
	sent.Questions = map[string]question.Value{"b": question.Text("y")}
	got := before.Merge(sent)
	for _, name := range Names {
		want := sent.Get(name)
		if want == "" {
			want = before.Get(name)
		}
		if got.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Get(name), want)
		}
	}
	if got.Questions["a"] != question.Integer(1) || got.Questions["b"] != question.Text("y") {
		t.Errorf("questions: %v", got.Questions)
	}
	if before.Get("firstname") != "Michael" || before.Questions["b"] != question.Text("x") {
		t.Error("Merge changed what it was called on")
	}
	if diff := cmp.Diff(before, before.Merge(Application{}), cmp.AllowUnexported(question.Value{})); diff != "" {
		t.Errorf("an empty update changed something:\n%s", diff)
	}
}

func TestApplicationsAndDataSurviveJSON(t *testing.T) {
	a := filled(t)
	a.Questions = map[string]question.Value{"n": question.Integer(7), "s": question.Text("7")}
	d := Data{
		Userdata:       map[Field]string{Firstname: "ANNA"},
		Document:       map[DocumentField]string{DocumentNumber: "L01X"},
		DriversClasses: []string{"B", "ML"},
	}
	var a2 Application
	var d2 Data
	for _, pair := range [][2]any{{a, &a2}, {d, &d2}} {
		b, err := json.Marshal(pair[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, pair[1]); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(a, a2, cmp.AllowUnexported(question.Value{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(d, d2); diff != "" {
		t.Error(diff)
	}
}

func TestLogsWithholdPeople(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	log.Info("x", "a", filled(t), "d", Data{Userdata: map[Field]string{Lastname: "Berger"}})
	if strings.Contains(out.String(), "Berger") || strings.Count(out.String(), "withheld") != 2 {
		t.Errorf("logged: %s", out.String())
	}
}

func TestE164(t *testing.T) {
	for phone, want := range map[string]string{
		"0151 23411232": "+4915123411232", "15123411232": "+4915123411232", "+49176102030123": "+49176102030123",
		"0049 151/23411232": "+4915123411232", "+49 (0)151 23411232": "+4915123411232", "+49 0151 23411232": "+4915123411232",
		"0041 79 123 45 67": "+41791234567", "+39 06 1234567": "+39061234567", "(0151) 234-11232": "+4915123411232",
		"+49 00151 2341": "", "": "", "+": "", "00": "", "0": "", "12a45678": "", "+1234567890123456": "", "٠١٥١٢٣٤١١": "",
	} {
		got, ok := E164(phone, "49")
		if got != want || ok != (want != "") {
			t.Errorf("E164(%q) = %q, %v, want %q", phone, got, ok, want)
		}
	}
	if got, _ := E164("079 123 45 67", "41"); got != "+41791234567" {
		t.Errorf("Swiss: %q", got)
	}
}

func TestAgentsCannotEnterWhatIsIllFormed(t *testing.T) {
	good := Data{
		Userdata: map[Field]string{Firstname: "Anna", Birthday: "1975-12-20", Country: "DE", Gender: "FEMALE", Title: ""},
		Document: map[DocumentField]string{DocumentType: "IDCARD", DocumentCountry: "DE", ValidUntil: "2030-01-31", DocumentNumber: "L01X", DateIssued: ""},
		DriversClasses: []string{
			"B", "C1E", "ML",
		},
	}
	if err := good.Check(); err != nil {
		t.Errorf("good data: %v", err)
	}
	bad := Data{
		Userdata:       map[Field]string{Birthday: "1975-02-30", "shoe": "42", Country: "XX", Lastname: "a\nb"},
		Document:       map[DocumentField]string{DocumentType: "LIBRARY", ValidUntil: "soon", DriversClasses: "B", DocumentNumber: strings.Repeat("1", 256)},
		DriversClasses: []string{"b"},
	}
	var got []string
	for _, e := range fault.All(bad.Check()) {
		got = append(got, e.Key+" "+e.Kind.String())
	}
	want := []string{
		"birthday invalid", "country invalid", "lastname invalid", "shoe unknown field",
		"driversclasses unknown field", "number invalid", "type invalid", "validuntil invalid", "driversclasses invalid",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzE164(f *testing.F) {
	f.Add("0151 23411232")
	f.Add("+49 (0)151/234")
	f.Add("0049-0-1")
	f.Fuzz(func(t *testing.T, phone string) {
		n, ok := E164(phone, "49")
		if !ok {
			if n != "" {
				t.Fatalf("%q: refused, yet %q", phone, n)
			}
			return
		}
		if n[0] != '+' || n[1] == '0' || len(n)-1 < minDigits || len(n)-1 > maxDigits || strings.Trim(n[1:], "0123456789") != "" {
			t.Fatalf("%q: %q is not E.164", phone, n)
		}
		if again, ok := E164(n, "49"); !ok || again != n {
			t.Fatalf("%q: %q becomes %q", phone, n, again)
		}
	})
}

func FuzzSet(f *testing.F) {
	for name, value := range printed {
		f.Add(name, value)
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		var a Application
		err := a.Set(name, value, today)
		if err != nil {
			if e := fault.All(err); len(e) != 1 || e[0].Key != name || e[0].Kind != fault.Invalid && e[0].Kind != fault.UnknownField {
				t.Fatalf("Set(%q, %q): %v", name, value, err)
			}
			return
		}
		if a.Get(name) != value {
			t.Fatalf("Set(%q, %q) kept %q", name, value, a.Get(name))
		}
		if !plainText(value) {
			t.Fatalf("Set(%q, %q) took it", name, value)
		}
	})
}
