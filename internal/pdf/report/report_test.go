package report

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/person"
	"vidimus/internal/domain/result"
	"vidimus/internal/service/publish"
)

var made = time.Date(2026, 11, 23, 9, 41, 7, 0, time.UTC)

// drawn is a picture with some detail, so that its JPEG has a likely size.
func drawn(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	seed := uint32(1)
	for y := range height {
		for x := range width {
			seed = seed*1664525 + 1013904223
			noise := uint8(seed >> 28)
			m.SetRGBA(x, y, color.RGBA{uint8(x*200/width) + noise, uint8(y*200/height) + noise, 120 + noise, 255})
		}
	}
	return m
}

func jpegOf(m image.Image, quality int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func pngOf(m image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

var photograph = sync.OnceValue(func() []byte { return jpegOf(drawn(1280, 800), 72) })

func entry(value string, status person.Status) *result.Entry {
	return &result.Entry{Value: value, Status: status}
}

// full is a report with everything in it.
func full() publish.Report {
	yes := true
	r := publish.Report{
		Company: "Ihre Bank AG", Language: "de", TrackingID: "kampagne-7f3a", Made: made,
		RequestedAt: made.Add(-20 * time.Minute), TakenAt: made.Add(-15 * time.Minute), EndedAt: made.Add(-5 * time.Minute),
		Reviewer: "M. Muster", ReviewedAt: made.Add(-time.Minute),
		Checks: []evidence.Check{
			{Name: "document_genuine", Passed: true, By: "agent-12", AtVideo: 62.5}, {Name: "face_matches", Passed: true, Score: 0.934, By: "Gesichtsvergleich"},
			{Name: "person_present", Passed: false, Reason: "Die Person wirkte angeleitet", By: "agent-12", AtVideo: 125},
		},
		Answers: []publish.Answer{{Label: "Sind Sie eine politisch exponierte Person?", Value: "nein"}, {Label: "Wie viele Konten?", Value: "3"}},
		Files: []publish.File{
			{Name: "TX-4711_audiolog.mp3", Size: 1234567, SHA256: strings.Repeat("0123456789abcdef", 4)},
			{Name: "TX-4711.mp4", Size: 98765432, SHA256: strings.Repeat("fedcba9876543210", 4)},
		},
		Result: result.Identification{
			Process: result.Process{
				Result: "SUCCESS_DATA_CHANGED", AgentName: "agent-12", IdentificationTime: "2026-11-23T09:36:07Z", Type: "WEB", TransactionNumber: "TX-4711",
				CompanyID: "ihrebank", ID: "IBA-H5FD8", PreviousResult: "REVIEW_PENDING", IdentChanges: &yes, ReviewChanges: &yes,
			},
			Custom:  result.Custom{Custom1: "Filiale 12", Custom2: "ПРИВЕТ"},
			Contact: result.Contact{Email: "l.sahin@example.org", MobilePhone: "+49 170 0000000"},
			Userdata: result.Userdata{
				Title: entry("Dr.", person.New), Firstname: entry("Łukasz", person.Match),
				Lastname: &result.Entry{Value: "Şahin-Ñuñez", Status: person.Change, Original: "Sahin", ReviewStatus: person.Change, Identification: "Şahin"},
				Birthday: entry("1975-12-20", person.Match), Birthplace: entry("Ελλάδα", person.Match), Nationality: entry("DE", person.Match), Gender: entry("MALE", person.Match),
				Address: &result.Address{
					Street: entry("Große Straße", person.Match), StreetNumber: entry("7a", person.New), Zipcode: entry("80331", person.Match),
					City: entry("München", person.Match), Country: entry("DE", person.Match),
				},
				Birthname: &result.Entry{Status: person.Change, Original: "Кириллов"},
			},
			Document: &result.Document{
				Type: entry("IDCARD", person.New), Country: entry("DE", person.New), ValidUntil: entry("2031-01-31", person.New),
				Number: entry("", person.Redaction), IssuedBy: entry("Kreisverwaltungsreferat", person.New), DateIssued: entry("2021-02-01", person.New),
				DriversClasses: &result.Classes{Value: []result.Class{{Type: "B"}, {Type: "A1"}}, Status: person.New},
			},
			Signing: &result.Signing{Result: "SUCCESS"},
		},
	}
	for i, key := range []string{"idfrontside", "idbackside", "userface", "security1", "security2", "idholograms", "livenessleft", "FOTO_VERTRAG"} {
		r.Pictures = append(r.Pictures, publish.Picture{Key: key, Format: "jpeg", Bytes: photograph(), Taken: made.Add(time.Duration(i-60) * time.Second)})
		r.Result.Attachments = append(r.Result.Attachments, result.File{Key: key, Name: result.AttachmentName("TX-4711", key, "jpg", "mp3")})
	}
	return r
}

func write(t testing.TB, r publish.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := New(Options{}).Report(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// run gives a PDF to a program and returns what it prints.
func run(t *testing.T, pdf []byte, program string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed", program)
	}
	path := filepath.Join(t.TempDir(), "report.pdf")
	if err := os.WriteFile(path, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, a := range args {
		if a == "FILE" {
			args[i] = path
		}
	}
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return string(out)
}

func textOf(t *testing.T, r publish.Report) string {
	t.Helper()
	return run(t, write(t, r), "pdftotext", "-layout", "-enc", "UTF-8", "FILE", "-")
}

func wantAll(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%q is missing", w)
		}
	}
	if t.Failed() {
		t.Logf("%s", text)
	}
}

var spaces = regexp.MustCompile(`\s+`)

// squeezed is text without spaces: what was wrapped stands together again.
func squeezed(text string) string { return spaces.ReplaceAllString(text, "") }

func TestEverythingOfTheResultIsInTheText(t *testing.T) {
	wantAll(t, strings.ReplaceAll(textOf(t, full()), "\u00a0", " "),
		"Ihre Bank AG", "Protokoll der Identifizierung", "Erfolgreich identifiziert, Daten geändert", "SUCCESS_DATA_CHANGED", "TX-4711", "IBA-H5FD8", "kampagne-7f3a",
		"23.11.2026, 09:36:07 UTC", "(ihrebank)", "agent-12", "M. Muster", "REVIEW_PENDING", "Filiale 12", "ПРИВЕТ", "l.sahin@example.org", "+49 170 0000000",
		"Łukasz", "Şahin-Ñuñez", "Sahin", "GEÄNDERT", "Ελλάδα", "Große Straße", "[entfernt]", "Кириллов", "1975-12-20", "[geschwärzt]", "Kreisverwaltungsreferat", "B, A1",
		"politisch exponierte", "Echtheit des Dokuments", "nicht bestanden", "angeleitet", "0.93", "1:02.5", "2:05.0", "Ausweis, Vorderseite", "Sicherheitsmerkmal 2", "FOTO VERTRAG",
		"TX-4711_idfrontside.jpg", "TX-4711.mp4", "98 765 432", "Erstellt am 23.11.2026, 09:41:07 UTC", "Seite 1 von ")
}

func TestEnglishReportsAreEnglish(t *testing.T) {
	r := full()
	r.Language = "en"
	text := textOf(t, r)
	wantAll(t, text, "Identification report", "Successfully identified, data changed", "CHANGED", "[redacted]", "[removed]", "not passed", "23 November 2026, 09:36:07 UTC", "Page 1 of ")
	if strings.Contains(text, "Prüfung") {
		t.Error("an English report has German headings")
	}
}

func TestPreliminaryResultsSayItOnEveryPage(t *testing.T) {
	r := full()
	r.Result.Process.Result, r.Reviewer, r.ReviewedAt = "REVIEW_PENDING", "", time.Time{}
	pages := strings.Split(strings.TrimSuffix(textOf(t, r), "\f"), "\f")
	if len(pages) < 2 {
		t.Fatalf("%d pages", len(pages))
	}
	for i, p := range pages {
		if !strings.Contains(p, "VORLÄUFIGES ERGEBNIS") || !strings.Contains(p, fmt.Sprintf("Seite %d von %d", i+1, len(pages))) {
			t.Errorf("page %d does not say what it is:\n%s", i+1, p)
		}
	}
	if strings.Contains(textOf(t, full()), "VORLÄUFIGES") {
		t.Error("a final result says that it is preliminary")
	}
}

func TestLongValuesAreWhole(t *testing.T) {
	word, sentence := strings.Repeat("Wüstenrot", 28)+"end", strings.Repeat("ab cde ", 36)+"end"
	r := full()
	r.Result.Userdata.Lastname = &result.Entry{Value: word, Status: person.Change, Original: "X" + word, ReviewStatus: person.Change, Identification: "Y" + word}
	r.Result.Custom.Custom3, r.TrackingID, r.Result.Contact.Email = sentence, "T"+word, "E"+word
	r.Checks = append(r.Checks, evidence.Check{Name: word, Reason: word, By: word})
	r.Result.Process.TransactionNumber = "N" + word
	// Without -layout the columns come one after another, as they are drawn.
	pdf := write(t, r)
	text := squeezed(run(t, pdf, "pdftotext", "-raw", "FILE", "-"))
	wantAll(t, text, squeezed(sentence), "T"+word, "E"+word)
	if n := strings.Count(squeezed(strings.ReplaceAll(text, "\n", "")), "end"); n < 8 {
		t.Errorf("%d long values come to their end", n)
	}
}

func TestWrappedLinesFitAndLoseNothing(t *testing.T) {
	set := loadFonts()
	for _, text := range []string{"", " ", "a", strings.Repeat("W", 255), strings.Repeat("ab cd-e ", 40), "W" + strings.Repeat(" ", 300) + "W", "-", strings.Repeat("-", 200)} {
		for _, width := range []float64{3, 10, 46, 170} {
			lines := set.wrap(sans, 8.5, text, width)
			if got, want := squeezed(strings.Join(lines, "")), squeezed(text); got != want {
				t.Errorf("%.20q in %v mm became %.60q", text, width, got)
			}
			for _, l := range lines {
				if set.width(sans, 8.5, l) > width && len([]rune(l)) > 1 {
					t.Errorf("%.20q is wider than %v mm", l, width)
				}
			}
		}
	}
}

func TestARowLongerThanAPageGoesOnUnderItsTitles(t *testing.T) {
	r := publish.Report{Language: "en", Made: made, Answers: []publish.Answer{{Label: "Why?", Value: strings.Repeat("because of this ", 300) + "THE END"}}}
	for range 80 {
		r.Answers = append(r.Answers, publish.Answer{Label: "Question", Value: "Answer text"})
	}
	text := textOf(t, r)
	pages := strings.Count(text, "\f")
	if n := strings.Count(text, "Question                "); n < pages || pages < 3 {
		t.Errorf("%d titles on %d pages", n, pages)
	}
	if cut := strings.Count(text, "because"); cut != 250 { // 4000 characters
		t.Errorf("%d of 250 words are there", cut)
	}
}

func TestAReportWithNothingInItIsAReport(t *testing.T) {
	for name, r := range map[string]publish.Report{
		"empty":   {},
		"aborted": {Company: "Bank", Language: "en", Made: made, Result: result.Identification{Process: result.Process{Result: "ABORTED", Reason: "USER_NO_ID"}, Userdata: result.Userdata{Firstname: &result.Entry{Status: person.Original, Original: "Mike"}}}},
		"unknown": {Language: "xx", Result: result.Identification{Process: result.Process{Result: "SOMETHING_NEW"}}},
	} {
		t.Run(name, func(t *testing.T) {
			want := map[string]string{"empty": "No result", "aborted": "Mike", "unknown": "SOMETHING_NEW"}[name]
			wantAll(t, textOf(t, r), want, "Page 1 of 1")
		})
	}
}

func TestEqualReportsHaveEqualBytes(t *testing.T) {
	r := full()
	for i := range r.Pictures { // of one width, and all different
		m := drawn(300, 200)
		m.Set(0, 0, color.RGBA{uint8(30 * i), 0, 0, 255})
		r.Pictures[i].Bytes = jpegOf(m, 80)
	}
	one := write(t, r)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var b bytes.Buffer
			if err := New(Options{}).Report(&b, r); err != nil || !bytes.Equal(one, b.Bytes()) {
				t.Errorf("other bytes: %v", err)
			}
		})
	}
	wg.Wait()
	if !bytes.Equal(write(t, publish.Report{}), write(t, publish.Report{})) {
		t.Error("without a time, the bytes are those of the present moment")
	}
}

func TestTheFileIsWellFormed(t *testing.T) {
	for _, r := range []publish.Report{{}, full(), odd(t)} {
		if out := run(t, write(t, r), "qpdf", "--check", "FILE"); strings.Contains(strings.ToLower(out), "warning") {
			t.Error(out)
		}
	}
}

// odd has every kind of picture.
func odd(t *testing.T) publish.Report {
	t.Helper()
	m := drawn(40, 30)
	gray, clear, deep := image.NewGray(m.Bounds()), image.NewNRGBA(m.Bounds()), image.NewRGBA64(m.Bounds())
	paletted := image.NewPaletted(m.Bounds(), color.Palette{color.White, color.Black})
	for y := range 30 {
		for x := range 40 {
			gray.Set(x, y, m.At(x, y))
			deep.Set(x, y, m.At(x, y))
			paletted.Set(x, y, m.At(x, y))
			clear.Set(x, y, color.NRGBA{uint8(x), uint8(y), 9, uint8(x * y)})
		}
	}
	r := full()
	r.Pictures = nil
	for i, b := range [][]byte{pngOf(m), pngOf(gray), pngOf(clear), pngOf(deep), pngOf(paletted), jpegOf(gray, 80), jpegOf(m, 80), jpegOf(drawn(2000, 3), 80)} {
		r.Pictures = append(r.Pictures, publish.Picture{Key: fmt.Sprint("custom", i), Bytes: b})
	}
	return r
}

func TestPicturesOfEveryKindAreShown(t *testing.T) {
	out := run(t, write(t, odd(t)), "pdfimages", "-list", "FILE")
	lines := strings.Split(strings.TrimSpace(out), "\n")[2:]
	if len(lines) != 8 {
		t.Fatalf("%d of 8 pictures:\n%s", len(lines), out)
	}
	for i, want := range []string{"rgb 3 8 image", "gray 1 8 image", "rgb 3 8 image", "rgb 3 8 image", "rgb 3 8 image", "gray 1 8 jpeg", "rgb 3 8 jpeg", "rgb 3 8 jpeg"} {
		f := strings.Fields(lines[i])
		if got := strings.Join(f[5:9], " "); got != want || f[2] != "image" {
			t.Errorf("picture %d is %s, want %s", i, got, want)
		}
	}
}

func TestPicturesKeepTheirColours(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 2, 2))
	m.Set(0, 0, color.NRGBA{200, 100, 50, 255})
	pdf := write(t, publish.Report{Pictures: []publish.Picture{{Key: "x", Bytes: pngOf(m)}}})
	dir := t.TempDir()
	run(t, pdf, "pdfimages", "-png", "FILE", filepath.Join(dir, "p"))
	b, err := os.ReadFile(filepath.Join(dir, "p-000.png"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[image.Point]color.RGBA{{X: 0, Y: 0}: {200, 100, 50, 255}, {X: 1, Y: 1}: {255, 255, 255, 255}} {
		if c := color.RGBAModel.Convert(got.At(at.X, at.Y)); c != want {
			t.Errorf("%v is %v, want %v: what is clear stands on white", at, c, want)
		}
	}
}

func TestWhatIsNoPictureIsNamed(t *testing.T) {
	good := pngOf(drawn(20, 20))
	for _, b := range [][]byte{nil, []byte("GIF89a"), good[:40], append([]byte(nil), photograph()[:20]...)} {
		r := publish.Report{Language: "en", Pictures: []publish.Picture{{Key: "userface", Format: "png", Bytes: b}}}
		wantAll(t, textOf(t, r), "Face of the person", "The picture cannot be shown.")
	}
}

func TestWhatTheFontsLackIsVisible(t *testing.T) {
	r := publish.Report{Language: "en", Company: "张伟 \U0001F600 שלום\x00\u202E\xff bank"}
	text := textOf(t, r)
	wantAll(t, text, "\uFFFD\uFFFD", "bank", "a character that the font of this document does not have")
	if strings.Contains(textOf(t, publish.Report{Language: "en", Company: "Łódź"}), "the font of this document") {
		t.Error("nothing was lost, and the report says so")
	}
}

func TestTheFileSaysThatItIsPDFA(t *testing.T) {
	b := write(t, full())
	for _, want := range []string{
		"<pdfaid:part>2</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance>", "/S /GTS_PDFA1", "/DestOutputProfile", "/Lang (de)", "<dc:title>",
		"TX-4711</rdf:li>", "<xmp:CreateDate>2026-11-23T09:41:07Z</xmp:CreateDate>",
	} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("%s is missing", want)
		}
	}
	if !regexp.MustCompile(`/ID \[<([0-9a-f]{32})> <[0-9a-f]{32}>\]`).Match(b) {
		t.Error("the file has no ID")
	}
	for _, forbidden := range []string{"/Encrypt", "/JavaScript", "/SMask", "/DeviceCMYK", "/Launch", "/LZWDecode"} {
		if bytes.Contains(b, []byte(forbidden)) {
			t.Errorf("%s is forbidden", forbidden)
		}
	}
}

func TestTheColourProfileIsOfSRGB(t *testing.T) {
	p := srgb()
	if string(p[12:24]) != "mntrRGB XYZ " || string(p[36:40]) != "acsp" || len(p)%4 != 0 {
		t.Errorf("% x", p[:40])
	}
	// The colorants of red, green and blue make the white of D50 (ICC.1:2001-04, 6.1.14).
	var sum [3]float64
	for i := range 3 {
		at := int(p[132+12*(3+i)+6])<<8 | int(p[132+12*(3+i)+7])
		for k := range sum {
			b := p[at+8+4*k:]
			sum[k] += float64(int32(b[0])<<24|int32(b[1])<<16|int32(b[2])<<8|int32(b[3])) / 65536
		}
	}
	for k, want := range []float64{0.9642, 1, 0.8249} {
		if math.Abs(sum[k]-want) > 0.0005 {
			t.Errorf("the colorants add up to %v", sum)
		}
	}
}

func TestEveryTextIsThereInBothLanguages(t *testing.T) {
	for _, w := range []words{german, english} {
		v := reflect.ValueOf(w)
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%s is empty in %q", v.Type().Field(i).Name, w.title)
			}
		}
		lost := w
		for _, m := range []map[string]string{lost.results, lost.statuses, lost.fields, lost.names} {
			for k, text := range m {
				if _, odd := loadFonts().clean(text); odd || text == "" {
					t.Errorf("%s: %q cannot be set", k, text)
				}
			}
		}
	}
	g, e := reflect.ValueOf(german), reflect.ValueOf(english)
	for i := range g.NumField() {
		if g.Field(i).Kind() == reflect.Map && len(g.Field(i).MapKeys()) != len(e.Field(i).MapKeys()) {
			t.Errorf("%s differs", g.Type().Field(i).Name)
		}
	}
}

var errFull = errors.New("disk full")

type limited struct{ left int }

func (l *limited) Write(b []byte) (int, error) {
	if l.left -= len(b); l.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestErrorsOfTheDestinationComeBack(t *testing.T) {
	for _, n := range []int{0, 1000, 150_000} {
		if err := New(Options{}).Report(&limited{n}, full()); !errors.Is(err, errFull) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

func TestAForeignLayoutIsRefused(t *testing.T) {
	for _, doc := range []string{"", "x", "startxref\n0\n%%EOF\n", "startxref\n99\n%%EOF\n", "xref\n0 9\nstartxref\n0\n%%EOF\n"} {
		if err := finish(&bytes.Buffer{}, []byte(doc), nil); !errors.Is(err, errLayout) {
			t.Errorf("%q: %v", doc, err)
		}
	}
}

func FuzzAnyTextMakesAReport(f *testing.F) {
	f.Add("Müller", "CHANGE", []byte{1})
	f.Add("\xff\x00\u202e\U0001F600{nb}\\()\r\n", "", photograph()[:600])
	f.Add(strings.Repeat("ç̧", 3000), "REDACTION", pngOf(drawn(3, 3)))
	w := New(Options{})
	f.Fuzz(func(t *testing.T, text, status string, picture []byte) {
		r := publish.Report{Made: made, Result: result.Identification{Document: &result.Document{}}}
		e := &result.Entry{Value: text, Status: person.Status(status), ReviewStatus: person.Status(text), Original: text, Identification: text}
		r.Company, r.TrackingID, r.Reviewer, r.Language = text, text, text, status
		r.Result.Process = result.Process{Result: status, AgentName: text, IdentificationTime: text, Type: text, TransactionNumber: text, CompanyID: text, ID: text, PreviousResult: text, Reason: text}
		r.Result.Custom, r.Result.Contact = result.Custom{Custom1: text}, result.Contact{Email: text}
		r.Result.Userdata.Lastname, r.Result.Document.Number = e, e
		r.Checks = []evidence.Check{{Name: text, Reason: text, By: text}}
		r.Answers, r.Files = []publish.Answer{{Label: text, Value: text}}, []publish.File{{Name: text, Size: int64(len(picture)), SHA256: text}}
		r.Pictures = []publish.Picture{{Key: text, Bytes: picture}, {Key: "userface", Format: text, Bytes: picture}}
		var b bytes.Buffer
		if err := w.Report(&b, r); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkReport(b *testing.B) {
	w, r := New(Options{}), full()
	b.ReportAllocs()
	b.ReportMetric(float64(len(r.Pictures[0].Bytes)), "B/picture")
	for b.Loop() {
		var out bytes.Buffer
		if err := w.Report(&out, r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFonts(b *testing.B) {
	for b.Loop() {
		coverage()
	}
}
