package mrz

import (
	"strings"
	"testing"
)

func TestNamesAreTransliterated(t *testing.T) {
	for name, want := range map[string]string{
		"Müller-Lüdenscheidt":          "MUELLER<LUEDENSCHEIDT",
		"Weiß":                         "WEISS",
		"ẞÄÖÜ":                         "SSAEOEUE",
		"A\u0308rger":                  "AERGER", // decomposed
		"Ørsted Ångström Æsir":         "OERSTED<AANGSTROEM<AESIR",
		"Cañón":                        "CANON",
		"D'Artagnan":                   "DARTAGNAN",
		"O’Connor":                     "OCONNOR",
		"Đorđe Łukasz Ĳsbrand":         "DORDE<LUKASZ<IJSBRAND",
		"Þór Guðrún":                   "THOR<GUDRUN",
		"İstanbul ılık Şahin":          "ISTANBUL<ILIK<SAHIN",
		"Nguyễn Thị":                   "NGUYEN<THI",
		"Dvořák, Antonín":              "DVORAK<ANTONIN",
		"van der  Meer":                "VAN<DER<MEER",
		"Martin Luther King 3. Jr.":    "MARTIN<LUTHER<KING<JR",
		"Щербаков":                     "SHCHERBAKOV",
		"Œuvre ŉ ﬁ":                    "OEUVRE<N<FI",
		"-Anna-":                       "ANNA",
		"李":                            "",
		"\xff\xfe":                     "",
		"Smith\u2013Jones":             "SMITH<JONES",
		strings.Repeat("a", 256) + "b": strings.Repeat("A", 255),
	} {
		if got := Transliterate(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

// The first six are printed in Doc 9303 parts 4 and 5, section 4.2.3.
func TestLongNamesAreShortened(t *testing.T) {
	for _, c := range []struct {
		surname, given string
		width          int
		want           string
	}{
		{"Nilavadhanananda", "Chayapa Dejthamrong Krasuang", 39, "NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K"},
		{"Nilavadhanananda", "Arnpol Petch Charonguang", 39, "NILAVADHANANANDA<<ARNPOL<PETCH<CHARONGU"},
		{"Bennelong Wooloomooloo Warrandyte Warnambool", "Dingo Potoroo", 39, "BENNELONG<WOOLOOMOOLOO<WARRANDYTE<W<<DI"},
		{"Bennelong Wooloomooloo Warrandyte Warnambool", "Dingo Potoroo", 30, "BENNELONG<WOOLOOMOOLOO<W<W<<DI"},
		{"Papandropoulous", "Jonathon Warren Trevor", 39, "PAPANDROPOULOUS<<JONATHON<WARREN<TREVOR"},
		{"Arkfreith", "", 39, "ARKFREITH<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<"},
		{"", "Arkfreith", 12, "ARKFREITH<<<"},
		{"Ab", "Cdef Gh", 9, "AB<<CDE<G"},
		{"Abcdefghijkl", "Mn", 8, "ABCDE<<M"},
		{"A B C D E", "F", 8, "A<B<C<<F"},
		{"Abcd Efg", "", 5, "ABC<E"},
		{"A B C D", "", 4, "A<B<"},
		{"李", "王", 4, "X<<<"},
	} {
		if got := nameField(c.surname, c.given, c.width); got != c.want {
			t.Errorf("%s, %s: %s, want %s", c.surname, c.given, got, c.want)
		}
	}
}

func TestTruncationIsSeenByTheReader(t *testing.T) {
	z := specimens[1].zone
	z.GivenNames = "Anna Maria Magdalena Josephina"
	lines, err := z.Lines()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(strings.Join(lines, ""))
	if err != nil {
		t.Fatal(err)
	}
	if !got.Truncated || got.GivenNames != "ANNA MARIA MAGDALENA" {
		t.Errorf("%q, truncated %t", got.GivenNames, got.Truncated)
	}
}

func TestCountriesHaveTheCodesOfTheStandard(t *testing.T) {
	for two, three := range map[string]string{"DE": "D", "AT": "AUT", "CH": "CHE", "GB": "GBR", "US": "USA", "XK": "RKS", "TW": "TWN", "HR": "HRV"} {
		if got, ok := Country(two); !ok || got != three {
			t.Errorf("%s is %s %t, want %s", two, got, ok, three)
		}
		if got, ok := Alpha2(three); !ok || got != two {
			t.Errorf("%s is %s %t, want %s", three, got, ok, two)
		}
	}
	for _, no := range []string{"", "D", "de", "ZZ", "UK", "DEU", "12", "ÄÖ", "QQ"} {
		if got, ok := Country(no); ok {
			t.Errorf("%q is the country %s", no, got)
		}
	}
	if got, ok := Alpha2("DEU"); !ok || got != "DE" {
		t.Errorf("DEU is %s %t", got, ok)
	}
	for _, no := range []string{"", "UTO", "XXA", "AT", "276", "zzz"} {
		if got, ok := Alpha2(no); ok {
			t.Errorf("%q is the country %s", no, got)
		}
	}
}
