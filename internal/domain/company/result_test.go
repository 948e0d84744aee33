package company

import (
	"regexp"
	"strings"
	"testing"
)

func TestFileName(t *testing.T) {
	long := strings.Repeat("n", 255)
	values := map[string]string{
		"transactionnumber": "AH73JK3LM", "id": "IBA-H5FD8", "custom1": "Müller & Söhne", "custom2": "../../etc/passwd",
		"custom3": "", "custom4": "{id}", "custom5": "a.b_c-D9",
	}
	for number, want := range map[string]string{"-rf": "_-rf", "-" + long[1:]: "_-" + long[1:], "_x": "_x"} {
		if got := (Results{}).FileName(func(string) string { return number }); got != want {
			t.Errorf("the number %s: %q, want %q", number, got, want)
		}
	}
	for pattern, want := range map[string]string{
		"":                                     "AH73JK3LM",
		"{transactionnumber}":                  "AH73JK3LM",
		"{id}":                                 "IBA-H5FD8",
		"{id}_{transactionnumber}":             "IBA-H5FD8_AH73JK3LM",
		"{custom1}":                            "M_ller___S_hne",
		"{custom2}":                            "_.._.._etc_passwd",
		".{custom5}":                           "_.a.b_c-D9",
		"-rf {custom5}":                        "_-rf_a.b_c-D9",
		"." + strings.Repeat("x", 199):         "_." + strings.Repeat("x", 198),
		"{custom3}":                            "AH73JK3LM",
		"{custom3}{custom3}":                   "AH73JK3LM",
		"x{custom3}":                           "x",
		"{custom4}":                            "_id_", // what a value holds is no placeholder
		"{custom5}":                            "a.b_c-D9",
		"Ergebnis für {id}":                    "Ergebnis_f_r_IBA-H5FD8",
		"a/b\\c:d*e?f\"g<h>i|j\x00k\r\nl":      "a_b_c_d_e_f_g_h_i_j_k__l",
		"{custom6}{Id}{":                       "_custom6__Id__",
		"日本":                                   "__",
		"\xff":                                 "_",
		strings.Repeat("x", 199) + "{custom5}": strings.Repeat("x", 199) + "a",
		strings.Repeat("{id}", 30):             strings.Repeat("IBA-H5FD8", 30)[:200],
	} {
		if got := (Results{Filename: pattern}).FileName(func(name string) string { return values[name] }); got != want {
			t.Errorf("%q: %q, want %q", pattern, got, want)
		}
	}
	for pattern, want := range map[string]int{"": 255, "{transactionnumber}": 255, "{custom1}": 255, "{custom1}{transactionnumber}": 255, "x{transactionnumber}": 200} {
		if got := (Results{Filename: pattern}).FileName(func(name string) string {
			return map[string]string{"transactionnumber": long}[name]
		}); len(got) != want {
			t.Errorf("%q: a long number gives %d characters", pattern, len(got))
		}
	}
}

func FuzzFileName(f *testing.F) {
	f.Add("{id}", "a")
	f.Add("{custom1}/ä", "\x00{id}")
	safe := regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)
	f.Fuzz(func(t *testing.T, pattern, value string) {
		number := "N" + value
		got := Results{Filename: pattern}.FileName(func(name string) string {
			if name == "transactionnumber" {
				return number
			}
			return value
		})
		if !safe.MatchString(got) || len(got) > 200 && len(got) > len(number) {
			t.Errorf("%q is no safe name", got)
		}
	})
}

func TestRedirectPutsTheNumberInEncoded(t *testing.T) {
	for _, c := range []struct{ redirect, number, want string }{
		{"https://www.ihrebank.example/ok?tn=<transactionnumber>", "AH_7-3", "https://www.ihrebank.example/ok?tn=AH_7-3"},
		{"https://a.example/<transactionnumber>/<transactionnumber>?x", "a b+c&d=e/f?g#h%ü", "https://a.example/a%20b%2Bc%26d%3De%2Ff%3Fg%23h%25%C3%BC/a%20b%2Bc%26d%3De%2Ff%3Fg%23h%25%C3%BC?x"},
		{"https://a.example/", "1", "https://a.example/"},
		{"https://a.example/<Transactionnumber>", "1", "https://a.example/<Transactionnumber>"},
		{"", "1", ""},
	} {
		if got := Redirect(c.redirect).For(c.number); got != c.want {
			t.Errorf("%s: %s, want %s", c.redirect, got, c.want)
		}
	}
}
