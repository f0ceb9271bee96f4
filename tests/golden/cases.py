"""cases.py - the command line of the programs that make golden numbers: writes one case, or all stored ones."""
import os

import torch


def add_output(parser):
    parser.add_argument('--out', help='file to write; default: standard output')
    parser.add_argument('--all', action='store_true', help='write every stored case into the folder of this file')


def write(path, text):
    with open(path, 'w') as file:
        file.write(text)


def main(arguments, text_of, cases, name):
    """arguments(argv or None) returns settings, text_of(settings) a dump; name: pattern of a case's file name"""
    torch.set_num_threads(1)
    given = arguments()
    if given.all:
        folder = os.path.dirname(os.path.abspath(__file__))
        for case, argv in cases.items():
            write(os.path.join(folder, name % case), text_of(arguments(argv.split())))
    elif given.out:
        write(given.out, text_of(given))
    else:
        print(text_of(given), end='')
