//go:build ignore

// Frames writes the pictures make.sh films into the folder it is given: two drawn
// persons in two poses each, and a card.
package main

import (
	"log"
	"os"
	"path/filepath"

	"vidimus/internal/media/specimen"
)

func main() {
	agent := specimen.Holder{FirstNames: "Robin", LastName: "Specimen", Gender: "FEMALE"}
	user := specimen.Holder{
		FirstNames: "Kim", LastName: "Muster", Gender: "MALE", Birthday: "1990-01-31", Birthplace: "Musterstadt",
		Nationality: "DE", Document: specimen.Document{
			Type: "IDCARD", Country: "DE", Number: "SPECIMEN0", ValidUntil: "2035-12-31",
		},
	}
	for _, f := range []struct {
		name, key string
		of        specimen.Holder
	}{
		{"agent0", "userface", agent}, {"agent1", "livenessright", agent},
		{"user0", "userface", user}, {"user1", "livenessleft", user},
		{"card", "idfrontside", user},
	} {
		b, err := specimen.Render(f.of, f.key, specimen.PNG)
		if err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(os.Args[1], f.name+".png"), b, 0o600); err != nil {
			log.Fatal(err)
		}
	}
}
