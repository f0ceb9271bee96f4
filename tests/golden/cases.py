"""The command line of the programs that make golden numbers: one case on request, or all stored ones."""
import os

import torch


def add_output(parser):
    parser.add_argument('--out')
    parser.add_argument('--all', action='store_true', help='write every stored case beside this file')


def write(path, text):
    with open(path, 'w') as file:
        file.write(text)


def main(arguments, text_of, cases, name):
    """arguments(argv or None) -> settings; text_of(settings) -> a dump; name: file name of a case"""
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
