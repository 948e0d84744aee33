package mrz

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/fault"
)

// specimens are the examples printed in Doc 9303 parts 4, 5 and 6 (the long numbers: part
// 11, appendix D).
var specimens = []struct {
	name  string
	lines string
	zone  Zone
}{
	{
		"passport",
		"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
		Zone{TD3, "P", "UTO", "L898902C3", "UTO", "740812", "F", "120415", "ERIKSSON", "ANNA MARIA", "ZE184226B", "", false},
	},
	{
		"card",
		"I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<",
		Zone{TD1, "I", "UTO", "D23145890", "UTO", "740812", "F", "120415", "ERIKSSON", "ANNA MARIA", "", "", false},
	},
	{
		"large card",
		"I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6",
		Zone{TD2, "I", "UTO", "D23145890", "UTO", "740812", "F", "120415", "ERIKSSON", "ANNA MARIA", "", "", false},
	},
	{
		"card with a long number",
		"I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<JOHN<<<<<<<<<",
		Zone{TD1, "I", "UTO", "D23145890734", "UTO", "340712", "M", "950712", "STEVENSON", "PETER JOHN", "", "", false},
	},
	{
		"large card with a long number",
		"I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<\nD23145890<UTO3407127M95071227349<<<8",
		Zone{TD2, "I", "UTO", "D23145890734", "UTO", "340712", "M", "950712", "STEVENSON", "PETER JOHN", "", "", false},
	},
}

func TestSpecimensOfTheStandardAreReadAndWritten(t *testing.T) {
	for _, c := range specimens {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			got, err := Parse(c.lines)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.zone, got); d != "" {
				t.Errorf("read (-want +got):\n%s", d)
			}
			lines, err := c.zone.Lines()
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(strings.Split(c.lines, "\n"), lines); d != "" {
				t.Errorf("written (-want +got):\n%s", d)
			}
		})
	}
}

func TestCheckDigitsOfTheStandard(t *testing.T) {
	for text, want := range map[string]string{"520727": "3", "AB2134<<<": "5", "HA672242<": "6", "D23145890734": "9"} {
		if got := Digit(text); got != want {
			t.Errorf("Digit(%s) = %s, want %s", text, got, want)
		}
	}
	if Digit("HA672242<658085495", "4") != Digit("HA672242<6", "580854954") {
		t.Error("where the parts end changed the digit")
	}
}

func TestEveryWrongDigitIsNamed(t *testing.T) {
	const passport = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
	lower := strings.IndexByte(passport, '\n') + 1
	for _, c := range []struct {
		at   int
		to   byte
		want []string
	}{
		{0, 'M', []string{"composite", "number"}},
		{9, '7', []string{"composite", "number"}},
		{14, '5', []string{"composite", "birthday"}},
		{22, '0', []string{"composite", "validuntil"}},
		{29, 'F', []string{"composite", "optional"}},
		{43, '1', []string{"composite"}},
	} {
		text := []byte(passport)
		text[lower+c.at] = c.to
		z, err := Parse(string(text))
		var wrong *CheckError
		if !errors.As(err, &wrong) {
			t.Errorf("position %d: %v", c.at, err)
			continue
		}
		if d := cmp.Diff(c.want, wrong.Fields); d != "" {
			t.Errorf("position %d (-want +got):\n%s", c.at, d)
		}
		if z.Surname != "ERIKSSON" {
			t.Errorf("position %d: the zone is empty", c.at)
		}
	}
}

func TestEmptyPersonalNumberMayHaveEitherCheckDigit(t *testing.T) {
	z := specimens[0].zone
	z.Optional = ""
	lines, err := z.Lines()
	if err != nil {
		t.Fatal(err)
	}
	if lines[1][42] != '<' {
		t.Errorf("written as %c", lines[1][42])
	}
	for _, own := range "<0" {
		text := lines[0] + lines[1][:42] + string(own) + lines[1][43:]
		if _, err := Parse(text); err != nil {
			t.Errorf("%c: %v", own, err)
		}
	}
}

func TestWhatIsNoZoneIsRefused(t *testing.T) {
	card := specimens[1].lines
	for name, text := range map[string]string{
		"empty":       "",
		"short":       card[:len(card)-1],
		"small":       strings.ToLower(card),
		"symbol":      strings.Replace(card, "<", "*", 1),
		"visa":        strings.Replace(specimens[0].lines, "P<", "V<", 1),
		"month":       strings.Replace(card, "740812", "741312", 1),
		"sex":         strings.Replace(card, "2F1", "2Q1", 1),
		"digit_name":  strings.Replace(card, "ERIKSSON", "ER1KSSON", 1),
		"no_name":     card[:len(card)-30] + strings.Repeat("<", 30),
		"no_number":   strings.Replace(card, "D231458907", "<<<<<<<<<0", 1),
		"much_spaced": card + strings.Repeat(" ", 256),
	} {
		z, err := Parse(text)
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Invalid || z != (Zone{}) {
			t.Errorf("%s: %+v, %v", name, z, err)
		}
	}
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	for field, change := range map[string]func(*Zone){
		"format":      func(z *Zone) { z.Format = 0 },
		"code":        func(z *Zone) { z.Code = "V" },
		"issuer":      func(z *Zone) { z.Issuer = "UTOPIA" },
		"number":      func(z *Zone) { z.Number = "1234567890" },
		"nationality": func(z *Zone) { z.Nationality = "UTOPIA" },
		"birthday":    func(z *Zone) { z.Birthday = "1974-08-12" },
		"validuntil":  func(z *Zone) { z.ValidUntil = "120400" },
		"sex":         func(z *Zone) { z.Sex = "X" },
		"optional":    func(z *Zone) { z.Optional = "123456789012345" },
		"optional2":   func(z *Zone) { z.Optional2 = "1" },
	} {
		z := specimens[0].zone
		change(&z)
		_, err := z.Lines()
		var f *fault.Error
		if !errors.As(err, &f) || f.Key != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestYearsGetTheirCentury(t *testing.T) {
	today := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ birth, until, wantBirth, wantUntil string }{
		{"740812", "310101", "1974-08-12", "2031-01-01"},
		{"261123", "761123", "2026-11-23", "2076-11-23"},
		{"261124", "761124", "1926-11-24", "1976-11-24"},
		{"960229", "240229", "1996-02-29", "2024-02-29"},
		{"000229", "991231", "2000-02-29", "1999-12-31"},
		{"74<<<<", "230229", "", ""},
	} {
		z := Zone{Birthday: c.birth, ValidUntil: c.until}
		for _, got := range []struct {
			of   func(time.Time) (time.Time, bool)
			want string
		}{{z.BirthDate, c.wantBirth}, {z.ExpiryDate, c.wantUntil}} {
			d, ok := got.of(today)
			if ok != (got.want != "") || ok && d.Format(time.DateOnly) != got.want {
				t.Errorf("%s %s: %v %t, want %s", c.birth, c.until, d, ok, got.want)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range specimens {
		f.Add(c.lines)
	}
	f.Add("IDD<<T220001293<<<<<<<<<<<<<<<6408125<2010315D<<<<<<<<<<<<<4MUSTERMANN<<ERIKA<<<<<<<<<<<<<")
	f.Fuzz(func(t *testing.T, text string) {
		z, err := Parse(text)
		var wrong *CheckError
		if err != nil && !errors.As(err, &wrong) {
			return
		}
		lines, err := z.Lines()
		if err != nil {
			t.Fatalf("%+v: %v", z, err)
		}
		again, err := Parse(strings.Join(lines, "\n"))
		if err != nil {
			t.Fatalf("%q: %v", lines, err)
		}
		z.Truncated = again.Truncated
		if d := cmp.Diff(z, again); d != "" {
			t.Errorf("changed on the way (-before +after):\n%s", d)
		}
	})
}
