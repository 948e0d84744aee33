package mrz

import "golang.org/x/text/language"

// special are the codes of Doc 9303 part 3, section 5 that are not those of ISO 3166-1.
var special = map[string]string{"DE": "D", "EU": "EUE", "UN": "UNO", "XK": "RKS"}

// Country returns the code a zone uses for a country of ISO 3166-1 alpha-2 in capital
// letters: "AUT" for "AT" and, alone among states, one letter for Germany: "D". False for
// what is no country.
func Country(alpha2 string) (code string, ok bool) {
	if code, ok = special[alpha2]; ok {
		return code, true
	}
	if len(alpha2) != 2 {
		return "", false
	}
	r, err := language.ParseRegion(alpha2)
	if err != nil || r.String() != alpha2 || !r.IsCountry() || r.ISO3() == "ZZZ" {
		return "", false
	}
	return r.ISO3(), true
}

// Alpha2 is the way back: "AT" for "AUT", "DE" for "D" (and for the "DEU" that some
// documents print). False for codes without a country, such as "UTO" or "XXA".
func Alpha2(code string) (alpha2 string, ok bool) {
	for two, three := range special {
		if three == code {
			return two, true
		}
	}
	if len(code) != 3 {
		return "", false
	}
	r, err := language.ParseRegion(code)
	if err != nil || r.ISO3() != code || !r.IsCountry() {
		return "", false
	}
	return r.String(), true
}
