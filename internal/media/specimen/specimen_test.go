package specimen

import (
	"bytes"
	"errors"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/mrz"
)

var erika = Holder{
	FirstNames: "Erika Magdalena", LastName: "Mustermann", BirthName: "Gabler", Title: "Dr.",
	Birthday: "1975-12-20", Birthplace: "München", Nationality: "DE", Gender: "FEMALE",
	Street: "Heidestraße", StreetNumber: "17", Zip: "51147", City: "Köln", Country: "DE",
	Document: Document{
		Type: "IDCARD", Country: "DE", Number: "T22000129", ValidUntil: "2031-10-31",
		IssuedBy: "Stadt Köln", DateIssued: "2021-11-01",
	},
}

func TestEveryImageHasItsSizeAndFormat(t *testing.T) {
	for key, size := range map[string]image.Point{
		"idfrontside":      {CardWidth, CardHeight},
		"idbackside":       {CardWidth, CardHeight},
		"idholograms":      {CardWidth, CardHeight},
		"userface":         {FaceWidth, FaceHeight},
		"livenessleft":     {FaceWidth, FaceHeight},
		"livenessright":    {FaceWidth, FaceHeight},
		"security1":        {CloseUpWidth, CloseUpHeight},
		"security2":        {CloseUpWidth, CloseUpHeight},
		"security3":        {CloseUpWidth, CloseUpHeight},
		"security_covered": {CloseUpWidth, CloseUpHeight},
		"a_custom_image":   {CardWidth, CardHeight},
	} {
		for _, format := range []string{JPEG, PNG} {
			t.Run(key+"/"+format, func(t *testing.T) {
				b, err := Render(erika, key, format)
				if err != nil {
					t.Fatal(err)
				}
				img, got, err := image.Decode(bytes.NewReader(b))
				if err != nil {
					t.Fatal(err)
				}
				if got != format || img.Bounds().Size() != size {
					t.Errorf("%s of %v, want %s of %v", got, img.Bounds().Size(), format, size)
				}
				if len(b) < 8_000 || len(b) > 200_000 {
					t.Errorf("%d bytes", len(b))
				}
			})
		}
	}
}

func TestUnknownFormatIsRefused(t *testing.T) {
	_, err := Render(erika, "userface", "gif")
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Invalid || f.Key != "format" {
		t.Errorf("%v", err)
	}
}

func TestSameHolderGivesSameBytes(t *testing.T) {
	first, err := Render(erika, "idholograms", PNG)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if again, err := Render(erika, "idholograms", PNG); err != nil || !bytes.Equal(first, again) {
				t.Errorf("differs, or %v", err)
			}
		})
	}
	all.Wait()
}

func TestHoldersAndImagesDiffer(t *testing.T) {
	other := erika
	other.FirstNames = "Eva"
	seen := map[string]string{}
	for name, h := range map[string]Holder{"erika": erika, "eva": other} {
		for key := range pictures {
			if name == "eva" && strings.HasPrefix(key, "security") {
				continue // the front from near
			}
			b, err := Render(h, key, JPEG)
			if err != nil {
				t.Fatal(err)
			}
			if twin, known := seen[string(b)]; known {
				t.Errorf("%s of %s is %s", key, name, twin)
			}
			seen[string(b)] = key + " of " + name
		}
	}
	if cmp.Equal(MRZ(erika), MRZ(other)) {
		t.Error("two holders have one zone")
	}
}

func TestZoneOnTheCardIsValid(t *testing.T) {
	passport := erika
	passport.Document.Type = "PASSPORT"
	odd := Holder{
		LastName: strings.Repeat("Ł", 255), FirstNames: "李", Birthday: "20.12.1975", Nationality: "??", Gender: "OTHER",
		Document: Document{Number: "t-22 000/129" + strings.Repeat("x", 255)},
	}
	card := mrz.Zone{
		Format: mrz.TD1, Code: "I", Issuer: "D", Number: "T22000129", Nationality: "D", Birthday: "751220", Sex: "F",
		ValidUntil: "311031", Surname: "MUSTERMANN", GivenNames: "ERIKA MAGDALENA",
	}
	book := card
	book.Format, book.Code = mrz.TD3, "P"
	for name, c := range map[string]struct {
		of   Holder
		want mrz.Zone
	}{
		"card":     {erika, card},
		"passport": {passport, book},
		"odd": {odd, mrz.Zone{
			Format: mrz.TD1, Code: "I", Issuer: "UTO", Number: "T22000129XXXXXXXXXXXXX", Nationality: "UTO",
			Birthday: "<<<<<<", ValidUntil: "<<<<<<", Surname: strings.Repeat("L", 30), Truncated: true,
		}},
		"empty": {Holder{}, mrz.Zone{
			Format: mrz.TD1, Code: "I", Issuer: "UTO", Number: "SPECIMEN", Nationality: "UTO",
			Birthday: "<<<<<<", ValidUntil: "<<<<<<", Surname: "X",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := mrz.Parse(strings.Join(MRZ(c.of), "\n"))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// The zone is a white strip with dark letters at a fixed pitch: a cell of a filler has
// ink, and so has every other cell.
func TestZoneIsDrawnWhereAReaderLooks(t *testing.T) {
	passport := erika
	passport.Document.Type = "PASSPORT"
	for name, c := range map[string]struct {
		img   *image.RGBA
		lines []string
		top   int
		pitch float64
	}{
		"card":     {back(&erika).img, MRZ(erika), 472, 30.6},
		"passport": {front(&passport).img, MRZ(passport), 560, 21.6},
	} {
		step := (CardHeight - c.top - 16) / len(c.lines)
		left := (CardWidth - c.pitch*float64(len(c.lines[0]))) / 2
		for i, line := range c.lines {
			for j := range line {
				x := int(left + float64(j)*c.pitch)
				cell := image.Rect(x, c.top+i*step, x+int(c.pitch), c.top+(i+1)*step)
				if !dark(c.img, cell) {
					t.Errorf("%s: nothing is drawn in line %d, column %d", name, i+1, j+1)
				}
			}
		}
	}
}

func dark(img *image.RGBA, part image.Rectangle) bool {
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if img.RGBAAt(x, y).G < 80 {
				return true
			}
		}
	}
	return false
}

func FuzzHolder(f *testing.F) {
	f.Add("Erika", "Mustermann", "1975-12-20", "DE", "FEMALE", "T22000129", "idfrontside")
	f.Add("", "", "", "", "", "", "")
	f.Add("אברהם 李小龍", "\xff\x00\u0301\u202e", "31.31.31", "XX", "X", "💥", "🪪 <custom>")
	f.Add(strings.Repeat("W", 255), strings.Repeat("Ǆ", 255), "9999-99-99", "dé", "M", strings.Repeat("9", 255), strings.Repeat("k", 255))
	f.Fuzz(func(t *testing.T, first, last, day, country, gender, number, key string) {
		for kind, keys := range map[string][]string{"IDCARD": {"idbackside", key}, "PASSPORT": {"idfrontside"}} {
			h := Holder{
				FirstNames: first, LastName: last, BirthName: last, Birthday: day, Birthplace: first, Nationality: country,
				Gender: gender, Street: last, StreetNumber: number, Zip: number, City: first, Country: country, Title: day,
				Document: Document{kind, country, number, day, last, day},
			}
			if _, err := mrz.Parse(strings.Join(MRZ(h), "")); err != nil {
				t.Error(err)
			}
			for _, k := range keys {
				if _, err := Render(h, k, JPEG); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

func BenchmarkRender(b *testing.B) {
	for _, format := range []string{JPEG, PNG} {
		for _, key := range []string{"idfrontside", "idbackside", "idholograms", "userface", "security1", "security3", "security_covered", "custom"} {
			b.Run(key+"/"+format, func(b *testing.B) {
				for b.Loop() {
					if _, err := Render(erika, key, format); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
